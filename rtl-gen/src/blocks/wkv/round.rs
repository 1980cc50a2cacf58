//! The rounding shift with a register inside: half of the shift, then the rest and adding, are each a stage's work at 150 MHz.

use crate::hdl::Module;
use std::sync::Arc;

/// `round(x, shift) = floor_o + up_o` as `prim::round_shift`; a shift by a multiple of 8 comes before the register, by 0 to 7 after it.
pub fn wkv_round(in_bits: usize, shift_bits: usize, out_bits: usize) -> Arc<Module> {
    assert!(out_bits <= in_bits, "wkv_round {in_bits} to {out_bits}");
    let mut m = Module::combinational(
        format!("wkv_round_{in_bits}_{shift_bits}_{out_bits}"),
        format!(
            "Divides a signed {in_bits}-bit number by 2^shift_i, to nearest, ties to even.\n\
             The result must fit {out_bits} bits (the upper bits are dropped); shifts of {in_bits} and more give 0.\n\
             round(x_i, shift_i) = floor_o + up_o; the addition is the caller's, who may have one to carry it along with.\n\
             Latency: 1 cycle; en_i low keeps the result. No reset: data only."
        ),
    );
    m.input("clk_i", 1, "").input("en_i", 1, "x_i is taken");
    m.input("x_i", in_bits, "signed").input("shift_i", shift_bits, "");
    m.output("floor_o", out_bits, "signed").output("up_o", 1, "");
    m.text(
        r#"
  wire [{{w}}:0]   doubled = {x_i, 1'b0};  // keeps the bit just below the point
  wire [{{smsb}}:0]   coarse  = {shift_i[{{smsb}}:3], 3'd0};
  reg  [{{w}}:0]   coarse_q;
  reg  [2:0]    fine_q;
  reg           sticky_q;  // a bit that is not 0 was shifted out

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      coarse_q <= $signed(doubled) >>> coarse;
      fine_q   <= shift_i[2:0];
      sticky_q <= |(doubled & ~({ {{w1}}{1'b1}} << coarse));
    end
  end

  wire signed [{{w}}:0] shifted = $signed(coarse_q) >>> fine_q;
  wire          sticky  = sticky_q || (|(coarse_q[6:0] & ~(7'h7f << fine_q)));

  assign floor_o = shifted[{{out}}:1];
  assign up_o    = shifted[0] && (sticky || shifted[1]);
"#,
        &[
            ("w", in_bits.to_string()),
            ("w1", (in_bits + 1).to_string()),
            ("smsb", (shift_bits - 1).to_string()),
            ("out", out_bits.to_string()),
        ],
    );
    if out_bits < in_bits {
        m.text(
            "  wire unused_upper = &{1'b0, shifted[{{w}}:{{out}}]};",
            &[("w", in_bits.to_string()), ("out", (out_bits + 1).to_string())],
        );
    }
    m.done()
}
