//! The rounding shift in two halves, so that the addition it ends with can be shared or registered.

use crate::hdl::Module;
use std::sync::Arc;

/// `round(x, shift) = floor_o + up_o` (`golden_model::fixed::round_shift`), without the addition: a pipeline adds `up_o` as
/// the carry of an adder it has anyway.
pub fn round_parts(in_bits: usize, shift_bits: usize) -> Arc<Module> {
    let mut m = Module::combinational(
        format!("round_parts_{in_bits}_{shift_bits}"),
        format!(
            "round(x_i, shift_i) = floor_o + up_o: a signed {in_bits}-bit number divided by 2^shift_i, to nearest, ties to even; combinational.\n\
             Exact for every shift_i; from {in_bits} on the sum is 0."
        ),
    );
    m.input("x_i", in_bits, "signed").input("shift_i", shift_bits, "");
    m.output("floor_o", in_bits, "signed").output("up_o", 1, "");
    m.text(
        r#"
  wire [{{w}}:0]        doubled = {x_i, 1'b0};  // keeps the bit just below the point
  wire signed [{{w}}:0] shifted = $signed(doubled) >>> shift_i;
  wire [{{msb}}:0]        below   = ~({({{w}}){1'b1}} << shift_i);  // the bits that fall below the point

  assign floor_o = shifted[{{w}}:1];
  assign up_o    = shifted[0] && (|(x_i & (below >> 1)) || shifted[1]);
"#,
        &[("w", in_bits.to_string()), ("msb", (in_bits - 1).to_string())],
    );
    m.done()
}
