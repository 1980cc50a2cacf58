//! One level of an adder tree, with a register.

use crate::hdl::Module;
use std::sync::Arc;

/// Adds `nodes` signed numbers of `bits` bits in pairs; `nodes` is even.
pub fn wkv_adder_level(nodes: usize, bits: usize) -> Arc<Module> {
    assert!(nodes.is_multiple_of(2) && nodes > 0, "wkv_adder_level: {nodes} nodes");
    let mut m = Module::combinational(
        "wkv_adder_level",
        "One level of an adder tree: the exact sums of neighbours among NODES signed numbers of BITS bits.\n\
         Latency: 1 cycle; en_i low keeps the sums. No reset: data only.",
    );
    m.param("NODES", nodes, 2, "numbers that are added in pairs, even").param("BITS", bits, 8, "bits of one");
    m.input("clk_i", 1, "").input("en_i", 1, "x_i is taken");
    m.input("x_i", "NODES*BITS", "signed elements").output("sum_o", "NODES/2*(BITS+1)", "signed elements");
    m.body(include_str!("../../../rtl/wkv/wkv_adder_level.sv"));
    m.done()
}
