//! The rounding shift as a pipeline: its shift over two stages, and the addition it ends with left to the caller, who can
//! share or register it.

use crate::hdl::Module;
use std::sync::Arc;

/// `round(x, shift) = floor_o + up_o` (`golden_model::arithmetic::fixed::round_shift`), without the addition: a pipeline adds `up_o` as
/// the carry of an adder it has anyway. A shift by a multiple of 8 comes before the register inside, by 0 to 7 after it.
pub fn round_parts(in_bits: usize, shift_bits: usize) -> Arc<Module> {
    let mut m = Module::combinational(
        format!("round_parts_{in_bits}_{shift_bits}"),
        format!(
            "round(x_i, shift_i) = floor_o + up_o: a signed {in_bits}-bit number divided by 2^shift_i, to nearest, ties to even.\n\
             Exact for every shift_i; from {in_bits} on the sum is 0.\n\
             Latency: 1 cycle, half of the shift after the register; en_i low keeps the result. No reset: data only."
        ),
    );
    assert!(shift_bits > 3, "round_parts {in_bits}: {shift_bits} shift bits");
    m.input("clk_i", 1, "").input("en_i", 1, "x_i and shift_i are taken");
    m.input("x_i", in_bits, "signed").input("shift_i", shift_bits, "");
    m.output("floor_o", in_bits, "signed").output("up_o", 1, "");
    let whole = (in_bits + 1).div_ceil(8);
    let bytes: Vec<String> =
        (0..whole).map(|i| format!("  assign some[{i}] = |doubled[{}:{}];", (8 * i + 7).min(in_bits), 8 * i)).collect();
    m.text(
        r#"
  wire [{{w}}:0] doubled = {x_i, 1'b0};  // keeps the bit just below the point
  wire [{{smsb}}:0] coarse  = {shift_i[{{smsb}}:3], 3'd0};
  wire [{{nmsb}}:0] some;  // which bytes are not 0: whole bytes are lost
{{bytes}}
  reg  [{{w}}:0] coarse_q;
  reg  [2:0]  fine_q;
  reg         sticky_q;  // a bit that is not 0 was shifted out

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      coarse_q <= $signed(doubled) >>> coarse;
      fine_q   <= shift_i[2:0];
      sticky_q <= |(some & ~({ {{n}}{1'b1}} << shift_i[{{smsb}}:3]));
    end
  end

  wire signed [{{w}}:0] shifted = $signed(coarse_q) >>> fine_q;
  wire sticky = sticky_q || (|(coarse_q[6:0] & ~(7'h7f << fine_q)));

  assign floor_o = shifted[{{w}}:1];
  assign up_o    = shifted[0] && (sticky || shifted[1]);
"#,
        &[
            ("w", in_bits.to_string()),
            ("smsb", (shift_bits - 1).to_string()),
            ("n", whole.to_string()),
            ("nmsb", (whole - 1).to_string()),
            ("bytes", bytes.join("\n")),
        ],
    );
    m.done()
}
