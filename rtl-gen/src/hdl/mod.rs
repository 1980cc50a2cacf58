//! Hardware modules whose widths are run-time values, on top of rust-hdl's object traits.
//!
//! A [`Module`] has ports, parameters, a body that is a file of `rtl/`, and instances of other modules. `view::View` shows the elaborated
//! tree as rust-hdl's `Block`s and `Atom`s, which say truthfully what is connected, how wide it is and in which direction it goes. The
//! printer ([`print()`]) is a rust-hdl `Probe` over that tree and writes **one file for each distinct module**; [`check`] runs rust-hdl's
//! own checks over it and those that rust-hdl lacks.
//!
//! rust-hdl's own printer writes one copy for each instance, has no reset and routes clocks through `always @(*)`; that is why the walk
//! is ours. Style of every module (checked by lint in the tests): SystemVerilog that Verilator, Icarus, Yosys and slang all accept;
//! `clk_i`, `rst_ni` (asynchronous assert, active low), `_i/_o` ports, `_d/_q` registers, every control register reset.

pub mod assembly;
pub mod check;
mod expr;
mod module;
mod print;
mod scan;
mod token;
mod view;
mod wires;

pub use crate::package::Constant;
pub use crate::widths::index_bits;
pub use crate::{instance, ports, sizes, table, wires};
pub use expr::Names;
pub use module::{Dir, Instance, IntoWidth, Item, Kind, Module, Param, Port, Repeat, Width, PREFIX};
pub use print::{print, print_specialised, with_prefix, Printed};
pub use wires::{part, stem, Wires};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_a_module_and_every_instance_named() {
        let mut leaf = Module::new("leaf", "Does nothing.");
        leaf.input("a_i", 4, "").output("b_o", 4, "").body("  assign b_o = a_i;");
        let leaf = leaf.done();
        let mut top = Module::new("top", "Two leaves.");
        top.input("x_i", 4, "").output("y_o", 4, "");
        top.wire("m", 4);
        instance! { top, "u_first", leaf; a_i: x_i, b_o: m }
        instance! { top, "u_second", leaf; a_i: m, b_o: y_o }
        let printed = print(&top).unwrap();
        assert_eq!(printed.files.len(), 2);
        assert_eq!(printed.instances["anser_top.u_second"], "anser_leaf");
        assert!(printed.files["anser_top.sv"].contains(".clk_i(clk_i)"));
    }

    #[test]
    fn another_prefix_renames_modules_and_nothing_else() {
        let mut leaf = Module::new("leaf", "The word anser_leaf is this module, anser_leaf_q is not.");
        leaf.input("a_i", 1, "").body("  wire anser_leaf_q = a_i;");
        let mut top = Module::new("top", "");
        top.input("a_i", 1, "");
        instance! { top, "u_leaf", leaf.done(); a_i }
        let printed = print(&top).unwrap().renamed("nano_").unwrap();
        assert_eq!(printed.top, "nano_top");
        assert_eq!(printed.instances["nano_top.u_leaf"], "nano_leaf");
        assert!(printed.files["nano_top.sv"].contains("  nano_leaf u_leaf ("));
        let leaf = &printed.files["nano_leaf.sv"];
        assert!(leaf.contains("word nano_leaf is") && leaf.contains("wire anser_leaf_q = a_i"), "{leaf}");
        for bad in ["", "3x_", "a-b"] {
            assert!(print(&top).unwrap().renamed(bad).is_err(), "{bad:?} is taken");
        }
    }

    #[test]
    fn same_name_with_another_body_is_refused() {
        let leaf = |width| {
            let mut m = Module::combinational("leaf", "");
            m.input("a_i", width, "");
            m.done()
        };
        let mut top = Module::combinational("top", "");
        instance! { top, "u_a", leaf(1); a_i: "1'b0" }
        instance! { top, "u_b", leaf(2); a_i: "2'b0" }
        assert!(print(&top).unwrap_err().contains("leaf"));
    }
}
