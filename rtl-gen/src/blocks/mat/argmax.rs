//! Index of the largest of a stream of numbers.

use crate::hdl::Module;
use std::sync::Arc;

/// Keeps the index of the first largest of the numbers since `start_i`.
pub fn argmax(data_bits: usize, index_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "argmax",
        "Index of the largest number since start_i; of several equal ones the first that came; 0 while there was none.\n\
         Latency: index_o counts a number one cycle after its valid_i. start_i and valid_i do not meet.",
    );
    m.param("DATA_BITS", data_bits, 8, "").param("INDEX_BITS", index_bits, 4, "");
    m.input("start_i", 1, "").input("valid_i", 1, "");
    m.input("index_i", "INDEX_BITS", "").input("data_i", "DATA_BITS", "signed").output("index_o", "INDEX_BITS", "");
    m.body(include_str!("../../../rtl/mat/argmax.sv"));
    m.done()
}
