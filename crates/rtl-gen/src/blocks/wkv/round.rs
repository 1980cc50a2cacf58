//! The rounding shift with a register inside: shifting and adding are each a stage's work at 150 MHz.

use crate::blocks::prim::lost_bits;
use crate::hdl::Module;
use std::sync::Arc;

/// `round(x, shift) = floor_o + up_o` as `prim::round_shift`, the shifted number registered before its last bit is rounded.
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
  wire [{{w}}:0]        doubled = {x_i, 1'b0};                      // keeps the bit just below the point
  wire signed [{{w}}:0] shifted = $signed(doubled) >>> shift_i;
{{lost}}
  reg  [{{out}}:0]        shifted_q;                                  // the result and the half bit
  reg                   sticky_q;                                   // any bit below the half bit

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      shifted_q <= shifted[{{out}}:0];
      sticky_q  <= sticky;
    end
  end

  assign floor_o = shifted_q[{{out}}:1];
  assign up_o    = shifted_q[0] && (sticky_q || shifted_q[1]);
"#,
        &[("w", in_bits.to_string()), ("lost", lost_bits(in_bits, shift_bits)), ("out", out_bits.to_string())],
    );
    if out_bits < in_bits {
        m.text(
            "  wire unused_upper = &{1'b0, shifted[{{w}}:{{out}}]};",
            &[("w", in_bits.to_string()), ("out", (out_bits + 1).to_string())],
        );
    }
    m.done()
}
