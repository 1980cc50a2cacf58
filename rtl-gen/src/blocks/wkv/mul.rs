//! Signed product in two clock cycles, for the recurrence's wide-by-16-bit products.

use crate::hdl::Module;
use std::sync::Arc;

/// Signed `a_bits` × `b_bits` product, two cycles, one product a cycle.
///
/// The wider factor is cut into two halves: one stage holds two products, each small enough for one 18 × 18 hardware
/// multiplier (with 24 by 16 bits two of them a product, none wasted), the next adds them.
pub fn wkv_mul(a_bits: usize, b_bits: usize) -> Arc<Module> {
    let out = a_bits + b_bits;
    let mut m = Module::combinational(
        format!("wkv_mul_{a_bits}x{b_bits}"),
        format!(
            "Signed product of {a_bits} and {b_bits} bits, exact; one a cycle.\n\
             Latency: 2 cycles; a_i and b_i are expected straight from registers. en_i[0] high: a_i and b_i are taken;\n\
             en_i[1] must be en_i[0] one cycle later. The product stays while en_i[1] is low. No reset: data only."
        ),
    );
    m.input("clk_i", 1, "").input("en_i", 2, "one enable a stage");
    m.input("a_i", a_bits, "signed").input("b_i", b_bits, "signed").output("p_o", out, "signed");
    let low = a_bits / 2;
    let vars = [
        ("out", (out - 1).to_string()),
        ("ext_b", a_bits.to_string()),
        ("bmsb", (b_bits - 1).to_string()),
        ("amsb", (a_bits - 1).to_string()),
        ("ext_a", b_bits.to_string()),
        ("low", low.to_string()),
        ("lmsb", (low - 1).to_string()),
        // each half product: its factor's bits (one more for the unsigned half) and b's
        ("hi", (a_bits - low + b_bits - 1).to_string()),
        ("lo", (low + b_bits).to_string()),
        ("hi_ext_b", (a_bits - low).to_string()),
        ("lo_ext_b", (low + 1).to_string()),
        ("lo_ext_a", (b_bits + 1).to_string()),
        ("lo_ext_p", (a_bits - low - 1).to_string()),
    ];
    m.text(
        r#"
  // a = hi * 2^{{low}} + lo, hi signed, lo unsigned
  wire signed [{{hi}}:0] hi_a = { { {{ext_a}}{a_i[{{amsb}}]}}, a_i[{{amsb}}:{{low}}]};
  wire signed [{{hi}}:0] hi_b = { { {{hi_ext_b}}{b_i[{{bmsb}}]}}, b_i};
  wire signed [{{lo}}:0] lo_a = { { {{lo_ext_a}}{1'b0}}, a_i[{{lmsb}}:0]};
  wire signed [{{lo}}:0] lo_b = { { {{lo_ext_b}}{b_i[{{bmsb}}]}}, b_i};
  reg  signed [{{hi}}:0] hi_q;
  reg  signed [{{lo}}:0] lo_q;
  reg         [{{out}}:0] p_q;

  always_ff @(posedge clk_i) begin
    if (en_i[0]) begin
      hi_q <= hi_a * hi_b;
      lo_q <= lo_a * lo_b;
    end
    if (en_i[1]) p_q <= {hi_q, { {{low}}{1'b0}}} + { { {{lo_ext_p}}{lo_q[{{lo}}]}}, lo_q};
  end

  assign p_o = p_q;
"#,
        &vars,
    );
    m.multipliers(2);
    m.done()
}
