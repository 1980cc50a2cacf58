//! Signed multiplier over two pipeline stages, from four half-width products.

use crate::blocks::prelude::*;

/// Exact signed product of two numbers of `bits` bits, even and up to 36, so that each partial product fits an 18-bit
/// hard multiplier. The operands must come from registers; two more registers follow.
pub fn mul_pipe(bits: usize) -> Arc<Module> {
    assert!(bits.is_multiple_of(2) && (6..=36).contains(&bits), "mul_pipe {bits}: even, 6 to 36");
    let mut m = Module::combinational(
        "mul_pipe",
        "Exact product of two signed numbers of WIDTH bits.\n\
         Latency 2: en_i[0] loads the four partial products of WIDTH/2 by WIDTH/2 bits, en_i[1] their sum.\n\
         A pipeline stage that is not enabled holds. No reset: datapath registers.",
    );
    m.param("WIDTH", bits, 8, "even, 6 to 36");
    ports! { m;
        clk_i, en_i[2] "one bit a stage", x_i["WIDTH"] "signed", m_i["WIDTH"] "signed", t_o["2*WIDTH"] "signed",
    }
    m.body(rtl!("prim/mul_pipe")).multipliers(4);
    m.done()
}
