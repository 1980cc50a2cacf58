//! Index of the largest of a stream of numbers.

use crate::blocks::prelude::*;

/// Keeps the index of the first largest of the numbers since `start_i`.
pub fn argmax(data_bits: usize, index_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "argmax",
        "Index of the largest number since start_i; of several equal ones the first that came; 0 while there was none.\n\
         Latency: index_o counts a number one cycle after its valid_i. start_i and valid_i do not meet.",
    );
    m.param("DATA_BITS", data_bits, 8, "").param("INDEX_BITS", index_bits, 4, "");
    ports! { m; start_i, valid_i, index_i["INDEX_BITS"], data_i["DATA_BITS"] "signed", index_o["INDEX_BITS"] }
    m.body(rtl!("mat/argmax"));
    m.done()
}
