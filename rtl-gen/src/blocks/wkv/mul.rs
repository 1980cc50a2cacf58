//! Signed product in two clock cycles, for the recurrence's wide-by-16-bit products.

use crate::blocks::prelude::*;

/// Signed `a_bits` × `b_bits` product, two cycles, one product a cycle.
///
/// The wider factor is cut into two halves: one stage holds two products, each small enough for one 18 × 18 hardware
/// multiplier (with 24 by 16 bits two of them a product, none wasted), the next adds them.
pub fn wkv_mul(a_bits: usize, b_bits: usize) -> Arc<Module> {
    let mut m = Module::combinational(
        "wkv_mul",
        "Exact product of a signed number of A_BITS bits and one of B_BITS bits; one a cycle.\n\
         Latency: 2 cycles; a_i and b_i are expected straight from registers. en_i[0] takes a_i and b_i; en_i[1] must be en_i[0] one\n\
         cycle later. The product stays while en_i[1] is low. No reset: data only.",
    );
    m.param("A_BITS", a_bits, 8, "4 or more").param("B_BITS", b_bits, 8, "");
    ports! { m;
        clk_i, en_i[2] "one enable a stage", a_i["A_BITS"] "signed", b_i["B_BITS"] "signed",
        p_o["A_BITS+B_BITS"] "signed",
    }
    m.body(rtl!("wkv/wkv_mul")).multipliers(2);
    m.done()
}
