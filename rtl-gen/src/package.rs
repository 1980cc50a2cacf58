//! `anser_pkg`: every number that the RTL and this program share, by name.
//!
//! Widths come from the golden model, fields and values of instructions from [`crate::isa`]. What depends on the configuration is not here:
//! each module has its own sizes as `localparam`s. A name has the same value in every design; a design's package holds the names it uses.

use crate::config::{EXP_BITS, OPERAND_BITS, VEC_BITS};
use crate::isa::{FORMATS, VALUES};
use crate::notice::notice;
use crate::registers::{all, largest, Register, ADDR_BITS};
use crate::widths::*;
use golden_model::arithmetic::tensor::GROUP_COLS;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::OnceLock;

/// The package's name, and that of its file.
pub const NAME: &str = "anser_pkg";

/// A named constant: its value, and its width if it was declared with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant {
    pub value: i128,
    pub bits: Option<usize>,
}

/// A constant of the package.
#[derive(Clone, Debug)]
pub struct Entry {
    pub name: String,
    pub value: i128,
    /// Its width, if it is compared or combined with signals; a size or a bit position has none.
    pub bits: Option<usize>,
    pub doc: String,
}

/// A headline and the constants below it.
pub type Section = (String, Vec<Entry>);

/// The package, in the order it is printed.
pub fn sections() -> Vec<Section> {
    let size = |name: &str, value: usize, doc: &str| Entry {
        name: name.into(),
        value: value as i128,
        bits: None,
        doc: doc.into(),
    };
    let numbers = vec![
        size("VEC_BITS", VEC_BITS, "an element at rest: signed, its fraction is the program's business"),
        size("OPERAND_BITS", OPERAND_BITS, "a mantissa of a matrix operand"),
        size("EXP_BITS", EXP_BITS, "the exponent that a whole operand shares"),
        size("SHIFT_BITS", SHIFT_BITS, "the shift of a rounding"),
        size("MEMORY_ELEMENT_BITS", MEMORY_ELEMENT_BITS, "an element of a session's state in external memory"),
    ];
    let counts = vec![
        size("WORD_ADDR_BITS", WORD_ADDR_BITS, "address of a word of vmem, xmem or an operand of wkv"),
        size("TOKEN_BITS", TOKEN_BITS, "the number of a token"),
        size("COUNT_BITS", COUNT_BITS, "index of an instruction, done counts and waits"),
        size("PROG_LANE_BITS", LANE_BITS, "number of a 32-bit word within an instruction"),
        size("ELEMENT_ADDR_BITS", ELEMENT_ADDR_BITS, "address of an element of vmem"),
        size("COLUMN_BITS", COLUMN_BITS, "the number of a column"),
        size("RUN_BITS", RUN_BITS, "columns of a run"),
        size("RUN_COLUMNS", RUN_COLUMNS, "columns of the longest run, which ends at multiples of it"),
        size("WKV_SLOT_BITS", WKV_SLOT_BITS, "an operand of the recurrence: the low bits of vec.slot"),
    ];
    let stream = vec![
        size("MAT_LANES", MAT_LANES, "byte lanes of a group: a group of the stream has 16 bytes"),
        size("SCALE_BITS", SCALE_BITS, "a row's scale: exponent, multiplier"),
        size("SCALE_M_BITS", SCALE_M_BITS, "the multiplier, the low bits of a scale"),
        size("SCALE_UNIT_ROWS", SCALE_UNIT_ROWS, "scales of a unit of 64 bytes"),
        size("W4_COLS", GROUP_COLS, "columns that share a scale in format W4"),
        size("MAT_LOAD_SHIFT_BITS", LOAD_SHIFT_BITS, "shift - xexp, signed"),
        size("MAT_LOAD_ROWS_BITS", LOAD_ROWS_BITS, "the number of rows handed to the drain at once"),
    ];
    let value = |name: &str, bits: usize, value: i128, doc: &str| Entry {
        name: name.into(),
        value,
        bits: Some(bits),
        doc: doc.into(),
    };
    let axi = vec![
        size("AXI_LEN_BITS", 8, "beats of a burst, less one"),
        size("AXI_SIZE_BITS", 3, "logarithm of the bytes of a beat"),
        size("AXI_BURST_BITS", 2, "how the address moves"),
        size("AXI_RESP_BITS", 2, "a response; its upper bit says SLVERR or DECERR"),
        size("LITE_ADDR_BITS", ADDR_BITS, "a byte address of a register"),
        value("AXI_BURST_INCR", 2, 1, "from beat to beat"),
    ];
    let mut list = vec![
        ("Formats of numbers".to_string(), numbers),
        ("Numbers of things".to_string(), counts),
        ("The weight stream".to_string(), stream),
        ("Fields of the AXI4 channels".to_string(), axi),
    ];
    for f in FORMATS {
        let unit = f.name.to_uppercase();
        let mut fields = vec![size(&format!("{unit}_INSTR_BITS"), f.bits, "one instruction")];
        let mut at = 0;
        for (field, bits) in f.fields {
            let field = field.to_uppercase();
            fields.push(size(&format!("{unit}_{field}_LSB"), at, ""));
            fields.push(size(&format!("{unit}_{field}_BITS"), *bits, ""));
            at += bits;
        }
        list.push((format!("Fields of a {} instruction", f.name), fields));
    }
    for v in VALUES {
        let (_, bits) = FORMATS.iter().find(|f| f.name == v.unit).map_or((0, 0), |f| f.field(v.field));
        let entry = |(name, value): &(&str, u64)| Entry {
            name: format!("{}_{name}", v.prefix),
            value: i128::from(*value),
            bits: Some(bits),
            doc: String::new(),
        };
        list.push((format!("Values of {}.{}", v.unit, v.field), v.values.iter().map(entry).collect()));
    }
    list.extend(registers());
    list
}

/// Word addresses of the registers, and where their fields begin.
fn registers() -> Vec<Section> {
    let registers = all(&largest());
    let address = |r: &Register| Entry {
        name: format!("REG_{}", r.name),
        value: i128::from(r.offset / 4),
        bits: Some(ADDR_BITS - 2),
        doc: format!("0x{:03X}", r.offset),
    };
    let fields = registers.iter().flat_map(|r| {
        r.fields.iter().map(move |f| Entry {
            name: format!("{}_{}_LSB", r.name, f.name),
            value: f.lsb as i128,
            bits: None,
            doc: String::new(),
        })
    });
    vec![
        ("Registers by word address".into(), registers.iter().map(address).collect()),
        ("Fields of registers".into(), fields.filter(|e| !e.name.ends_with("_COUNT_LSB")).collect()),
    ]
}

/// The value of a name of the package.
pub fn constant(name: &str) -> Option<Constant> {
    static ALL: OnceLock<BTreeMap<String, Constant>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let entries = sections().into_iter().flat_map(|(_, list)| list);
        entries.map(|e| (e.name, Constant { value: e.value, bits: e.bits })).collect()
    });
    all.get(name).copied()
}

/// The names of the package that `text` uses.
pub fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let after = text.split(NAME).skip(1).filter_map(|rest| rest.strip_prefix("::"));
    after.map(move |rest| &rest[..rest.find(|c| !word(c)).unwrap_or(rest.len())])
}

/// The text of the package's file for a design that uses the names `used`: Verilator complains about others.
pub fn verilog(used: &BTreeSet<&str>) -> String {
    let mut s = notice("//");
    let _ = writeln!(s, "//\n// Numbers that the modules share: formats, instructions, registers.\npackage {NAME};");
    for (title, mut list) in sections() {
        list.retain(|e| used.contains(e.name.as_str()));
        if !list.is_empty() {
            let _ = writeln!(s, "\n  // {title}");
        }
        for e in list {
            let (kind, value) = match e.bits {
                None => ("int".to_string(), e.value.to_string()),
                Some(1) => ("logic".into(), format!("1'd{}", e.value)),
                Some(n) => (format!("logic [{}:0]", n - 1), format!("{n}'d{}", e.value)),
            };
            let doc = if e.doc.is_empty() { String::new() } else { format!("  // {}", e.doc) };
            let _ = writeln!(s, "  localparam {kind} {} = {value};{doc}", e.name);
        }
    }
    s + "\nendpackage\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_design_has_the_names_it_uses() {
        let text = "  input wire [anser_pkg::VEC_BITS-1:0] a_i,\n  assign b = a_i[anser_pkg::DMA_LEN_LSB +: anser_pkg::DMA_LEN_BITS];";
        let used: BTreeSet<&str> = names_in(text).collect();
        assert_eq!(used, BTreeSet::from(["DMA_LEN_BITS", "DMA_LEN_LSB", "VEC_BITS"]));
        let printed = verilog(&used);
        assert_eq!(printed.matches("localparam").count(), 3, "{printed}");
        assert!(
            printed.contains("localparam int DMA_LEN_BITS = 24;") && !printed.contains("mat instruction"),
            "{printed}"
        );
    }

    #[test]
    fn every_name_stands_for_one_number() {
        let names: Vec<String> = sections().into_iter().flat_map(|(_, list)| list).map(|e| e.name).collect();
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len(), "a name of the package is there twice");
    }
}
