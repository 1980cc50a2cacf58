//! Signed multiplier over two pipeline stages, from four half-width products.

use crate::hdl::Module;
use std::sync::Arc;

/// Exact signed product of two `bits`-bit numbers (`bits` even, up to 36 so that each partial product fits an 18-bit
/// hard multiplier). The operands must come from registers; two more registers follow.
pub fn mul_pipe(bits: usize) -> Arc<Module> {
    assert!(bits.is_multiple_of(2) && (4..=36).contains(&bits), "mul_pipe {bits}: even, 4 to 36");
    let half = bits / 2;
    let mut m = Module::combinational(
        format!("mul_pipe_{bits}"),
        format!(
            "Exact product of two signed {bits}-bit numbers, {} bits.\n\
             Latency 2: en_i[0] loads the four partial products of {half} by {half} bits, en_i[1] their sum.\n\
             A pipeline stage that is not enabled holds. No reset: datapath registers.",
            2 * bits
        ),
    );
    m.input("clk_i", 1, "").input("en_i", 2, "one bit a stage");
    m.input("x_i", bits, "signed").input("m_i", bits, "signed").output("t_o", 2 * bits, "signed");
    m.text(
        r#"
  // operand = high * 2^{{h}} + low, low unsigned
  wire signed [{{hmsb}}:0] x_high = $signed(x_i[{{msb}}:{{h}}]);
  wire signed [{{hmsb}}:0] m_high = $signed(m_i[{{msb}}:{{h}}]);
  wire signed [{{h}}:0] x_low  = $signed({1'b0, x_i[{{hmsb}}:0]});
  wire signed [{{h}}:0] m_low  = $signed({1'b0, m_i[{{hmsb}}:0]});

  reg signed [{{msb}}:0] high_q;
  reg signed [{{w}}:0] mid_a_q, mid_b_q;
  reg signed [{{lmsb}}:0] low_q;
  reg        [{{tmsb}}:0] t_q;

  wire signed [{{w1}}:0] mid = $signed({mid_a_q[{{w}}], mid_a_q}) + $signed({mid_b_q[{{w}}], mid_b_q});

  always_ff @(posedge clk_i) begin
    if (en_i[0]) begin
      high_q  <= x_high * m_high;
      mid_a_q <= x_high * m_low;
      mid_b_q <= x_low * m_high;
      low_q   <= x_low * m_low;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[1]) begin
      t_q <= {high_q, low_q[{{msb}}:0]} + { { {{ext}}{mid[{{w1}}]}}, mid, {{h}}'b0};
    end
  end

  assign t_o = t_q;

  wire unused_low = &{1'b0, low_q[{{lmsb}}:{{bits}}]};  // a product of two non-negative numbers: sign bits
"#,
        &[
            ("h", half.to_string()),
            ("hmsb", (half - 1).to_string()),
            ("msb", (bits - 1).to_string()),
            ("bits", bits.to_string()),
            ("w", bits.to_string()),
            ("w1", (bits + 1).to_string()),
            ("lmsb", (bits + 1).to_string()),
            ("tmsb", (2 * bits - 1).to_string()),
            ("ext", (2 * bits - (bits + 2) - half).to_string()),
        ],
    );
    m.done()
}
