//! One level of a tree of adders.

use crate::blocks::prelude::*;

/// Sums of `fan` neighbours each of `terms` signed numbers of `bits` bits, in one cycle. `fan` is 2 or 4 and divides `terms`.
pub fn adder_level(terms: usize, fan: usize, bits: usize) -> Arc<Module> {
    assert!([2, 4].contains(&fan) && terms.is_multiple_of(fan) && terms > 0, "adder_level: {fan} of {terms}");
    let mut m = Module::combinational(
        "adder_level",
        "One level of an adder tree: the exact sums of FAN neighbours each of TERMS signed numbers of BITS bits.\n\
         Latency: 1 cycle; en_i low keeps the sums. No reset: data only.",
    );
    m.param("TERMS", terms, 2, "a multiple of FAN").param("FAN", fan, 2, "2 or 4").param("BITS", bits, 8, "");
    ports! { m;
        clk_i, en_i "terms_i is taken", terms_i["TERMS*BITS"] "signed elements",
        sums_o["TERMS/FAN*(BITS+$clog2(FAN))"] "signed elements",
    }
    m.body(rtl!("prim/adder_level"));
    m.done()
}
