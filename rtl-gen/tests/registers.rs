//! What is made from the table of registers: the document, and what other tools read.

use rtl_gen::config::Config;
use rtl_gen::registers::{all, bit, largest, reg, render, Access, ADDR_BITS};
use std::path::Path;

/// The table in the document is the table of the code; `ANSER_UPDATE=1` writes it.
#[test]
fn the_document_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hardware.md");
    let text = std::fs::read_to_string(&path).expect("docs/hardware.md");
    let (begin, end) = ("<!-- registers: made from rtl-gen/src/registers -->\n", "<!-- end of registers -->\n");
    let (before, rest) = text.split_once(begin).expect("the place of the table");
    let (found, after) = rest.split_once(end).expect("the end of the table");
    let other = Config { sessions: 2, ..largest() };
    let expected = render::markdown(&all(&largest()), &all(&other));
    if std::env::var_os("ANSER_UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{begin}{expected}{end}{after}")).expect("docs/hardware.md");
        return;
    }
    assert!(
        found == expected,
        "docs/hardware.md has another table of registers; ANSER_UPDATE=1 cargo test -p rtl-gen writes it"
    );
}

#[test]
fn no_two_registers_share_an_address_and_no_two_fields_a_bit() {
    let registers = all(&largest());
    let mut addresses: Vec<u32> =
        registers.iter().flat_map(|r| (0..r.count as u32).map(|i| r.offset + 4 * i)).collect();
    let n = addresses.len();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), n);
    assert!(addresses.iter().all(|a| a % 4 == 0 && *a < 1 << ADDR_BITS), "whole words within the address bits");
    for r in &registers {
        let mut bits: Vec<usize> = r.fields.iter().flat_map(|f| f.lsb..f.lsb + f.bits).collect();
        let n = bits.len();
        bits.dedup();
        assert!(bits.len() == n && bits.iter().all(|b| *b < 32), "{}", r.name);
    }
}

/// The mask of errors has every bit of STATUS that a host clears.
#[test]
fn the_mask_of_errors_is_whole() {
    let registers = all(&largest());
    let status = registers.iter().find(|r| r.offset == reg::STATUS).expect("STATUS");
    let clearable = status.fields.iter().filter(|f| f.access == Access::WriteOneToClear);
    assert_eq!(clearable.fold(0, |mask, f| mask | 1 << f.lsb), bit::ERRORS);
}

#[test]
fn hosts_get_every_register_and_field() {
    let registers = all(&largest());
    let (rdl, c, python) = (
        rtl_gen::registers::systemrdl::systemrdl("anser", &registers),
        render::c_header(&registers),
        render::python(&registers),
    );
    for r in &registers {
        assert!(rdl.contains(&format!("@ 0x{:02X};", r.offset)), "{}", r.name);
        assert!(c.contains(&format!("#define ANSER_{}_OFFSET 0x{:02X}u", r.name, r.offset)), "{}", r.name);
        assert!(python.contains(&format!("\n{}_OFFSET = 0x{:02X}\n", r.name, r.offset)), "{}", r.name);
        for f in &r.fields {
            assert!(c.contains(&format!("#define ANSER_{}_{}_MASK ", r.name, f.name)), "{} {}", r.name, f.name);
        }
    }
}
