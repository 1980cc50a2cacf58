//! One stage of a tree of adders.

use crate::hdl::Module;
use std::sync::Arc;

/// Sums of `fan` neighbours each of `terms` numbers of `bits` bits, in one cycle. `fan` is 2 or 4 and divides `terms`.
pub fn vec_sum(terms: usize, fan: usize, bits: usize) -> Arc<Module> {
    assert!([2, 4].contains(&fan) && terms.is_multiple_of(fan), "vec_sum: {fan} of {terms}");
    let mut m = Module::new(
        "vec_sum",
        "Exact sums of FAN neighbours each of TERMS signed numbers of BITS bits; valid, end and last travel with them.\n\
         Latency: 1 cycle. The sums keep their value while valid_i is low. Only valid is reset.",
    );
    m.param("TERMS", terms, 2, "a multiple of FAN").param("FAN", fan, 2, "2 or 4").param("BITS", bits, 8, "");
    m.input("valid_i", 1, "").input("end_i", 1, "").input("last_i", 1, "").input("terms_i", "TERMS*BITS", "signed");
    m.output("valid_o", 1, "").output("end_o", 1, "").output("last_o", 1, "");
    m.output("sums_o", "TERMS/FAN*(BITS+$clog2(FAN))", "signed");
    m.body(include_str!("../../../rtl/vec/sum.sv"));
    m.done()
}
