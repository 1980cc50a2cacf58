//! The table of registers for others: SystemRDL, a C header, Python constants, Markdown.

use super::systemrdl::systemrdl;
use super::{Access, Register};
use crate::notice::notice;
use std::fmt::Write as _;

/// The table as files for one configuration: name and text of each.
pub fn files(registers: &[Register]) -> [(&'static str, String); 3] {
    [
        ("registers.rdl", systemrdl("anser", registers)),
        ("registers.h", c_header(registers)),
        ("registers.py", python(registers)),
    ]
}

fn access(a: Access) -> &'static str {
    match a {
        Access::ReadOnly => "read",
        Access::ReadWrite => "read, write",
        Access::WriteOnly => "write",
        Access::WriteOneToClear => "read, write 1 to clear",
        Access::Action => "write 1 to act",
        Access::Select => "read, write; a write begins anew",
        Access::Push => "write the next",
        Access::Walk => "read or write the next",
    }
}

/// What a C or Python name of `register` begins with.
fn prefix(register: &Register) -> String {
    format!("ANSER_{}", register.name)
}

/// A C header: the address of each register, mask and position of each field.
pub fn c_header(registers: &[Register]) -> String {
    let mut s = notice("//") + "#ifndef ANSER_REGISTERS_H\n#define ANSER_REGISTERS_H\n";
    for r in registers {
        let p = prefix(r);
        let _ = writeln!(s, "\n/* {} */\n#define {p}_OFFSET 0x{:02X}u", r.doc, r.offset);
        if r.count > 1 {
            let _ = writeln!(s, "#define {p}_COUNT {}u", r.count);
        }
        for f in &r.fields {
            let _ = writeln!(s, "#define {p}_{}_MASK 0x{:08X}u /* {}: {} */", f.name, mask(f), access(f.access), f.doc);
            let _ = writeln!(s, "#define {p}_{}_SHIFT {}u", f.name, f.lsb);
            if f.access.is_read() {
                let _ = writeln!(s, "#define {p}_{}_RESET 0x{:08x}u", f.name, f.reset);
            }
        }
    }
    s + "\n#endif\n"
}

fn mask(f: &super::Field) -> u32 {
    (((1u64 << f.bits) - 1) << f.lsb) as u32
}

/// A Python module of the same constants.
pub fn python(registers: &[Register]) -> String {
    let mut s = notice("#") + "\"\"\"Registers of the anser accelerator.\"\"\"\n";
    for r in registers {
        let _ = writeln!(s, "\n# {}\n{}_OFFSET = 0x{:02X}", r.doc, r.name, r.offset);
        if r.count > 1 {
            let _ = writeln!(s, "{}_COUNT = {}", r.name, r.count);
        }
        for f in &r.fields {
            let _ = writeln!(s, "{}_{}_MASK = 0x{:08X}  # {}: {}", r.name, f.name, mask(f), access(f.access), f.doc);
            let _ = writeln!(s, "{}_{}_SHIFT = {}", r.name, f.name, f.lsb);
            if f.access.is_read() {
                let _ = writeln!(s, "{}_{}_RESET = 0x{:08x}", r.name, f.name, f.reset);
            }
        }
    }
    s
}

/// The table of `docs/hardware.md`. A field says its reset value, or `by configuration` where `others`, the registers of another
/// configuration, have a different one.
pub fn markdown(registers: &[Register], others: &[Register]) -> String {
    let mut s = String::from(
        "| address | register | bits | field | access | reset | meaning |\n|---|---|---|---|---|---|---|\n",
    );
    for r in registers {
        let at = match r.count {
            1 => format!("0x{:02X}", r.offset),
            n => format!("0x{:02X} to 0x{:02X}", r.offset, r.offset + 4 * (n as u32 - 1)),
        };
        let _ = writeln!(s, "| {at} | {} | | | | | {} |", r.name, r.doc);
        for f in &r.fields {
            let bits = if f.bits == 1 { f.lsb.to_string() } else { format!("{}:{}", f.lsb + f.bits - 1, f.lsb) };
            let differs = |o: &Register| o.fields.iter().any(|g| g.name == f.name && g.reset != f.reset);
            let reset = match f.access {
                access if !access.is_read() => String::new(),
                _ if others.iter().any(|o| o.name == r.name && differs(o)) => "by configuration".into(),
                _ => format!("0x{:X}", f.reset),
            };
            let _ = writeln!(s, "| | | {bits} | {} | {} | {reset} | {} |", f.name, access(f.access), f.doc);
        }
    }
    s
}
