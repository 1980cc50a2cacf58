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
        // the language wants registers outside of what is generated from it where an access does something of its own
        let own = r.fields.iter().any(|f| matches!(f.access, Access::Select | Access::Push | Access::Walk));
        let external = if own { "external " } else { "" };
        let _ = writeln!(s, "\n  {external}reg {{\n    name = \"{}\";\n    desc = \"{}\";", r.name, quoted(&r.doc));
        for f in &r.fields {
            let properties = properties(f.access);
            // a bit that acts once has the reset value 0 by the language's rules
            let reset = if f.access.is_read() || f.access == Access::Action {
                format!(" = 0x{:x}", f.reset)
            } else {
                String::new()
            };
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

/// The properties of a field: who reads and writes it, and what an access does beside that.
fn properties(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "sw = r; hw = w;",
        Access::ReadWrite => "sw = rw; hw = r;",
        Access::WriteOnly => "sw = w; hw = r;",
        Access::WriteOneToClear => "sw = rw; hw = rw; onwrite = woclr;",
        Access::Action => "sw = w; hw = r; singlepulse;",
        Access::Select => "sw = rw; hw = r; onwrite = wuser;",
        Access::Push => "sw = w; hw = r; onwrite = wuser;",
        Access::Walk => "sw = rw; hw = rw; onread = ruser; onwrite = wuser;",
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
