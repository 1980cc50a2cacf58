//! The table of registers as SystemRDL 2.0: what each field is for software and for the chip, its reset value, and what an access does
//! beside reading and writing it.

use super::{Access, Register};
use crate::notice::notice;
use std::fmt::Write as _;

/// SystemRDL 2.0 of the address map `name`.
pub fn systemrdl(name: &str, registers: &[Register]) -> String {
    let mut s = notice("//");
    let _ = writeln!(
        s,
        "addrmap {name} {{\n  name = \"anser registers\";\n  desc = \"Registers of the AXI4-Lite slave, 32 bits each. Only whole words \
         are written.\";\n  default regwidth = 32;\n  default accesswidth = 32;"
    );
    for r in registers {
        let _ = writeln!(s, "\n  reg {{\n    name = \"{}\";\n    desc = \"{}\";", r.name, quoted(&r.doc));
        for f in &r.fields {
            let (properties, has_reset) = properties(f.access);
            let reset = if has_reset { format!(" = 0x{:x}", f.reset) } else { String::new() };
            let (high, low) = (f.lsb + f.bits - 1, f.lsb);
            let _ = writeln!(
                s,
                "    field {{ {properties} desc = \"{}\"; }} {}[{high}:{low}]{reset};",
                quoted(f.doc),
                f.name
            );
        }
        let array = if r.count > 1 { format!("[{}]", r.count) } else { String::new() };
        let _ = writeln!(s, "  }} {}{array} @ 0x{:02X};", r.name, r.offset);
    }
    s + "};\n"
}

/// The properties of a field, and whether a read after reset gives its reset value.
fn properties(access: Access) -> (&'static str, bool) {
    match access {
        Access::ReadOnly => ("sw = r; hw = w;", true),
        Access::ReadWrite => ("sw = rw; hw = r;", true),
        Access::WriteOnly => ("sw = w; hw = r;", false),
        Access::WriteOneToClear => ("sw = rw; hw = rw; onwrite = woclr;", true),
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
