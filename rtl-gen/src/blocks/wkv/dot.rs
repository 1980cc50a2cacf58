//! Dot product of one state row with an operand vector, word by word; used for `sa_i` and for `y_i`.

use super::mul::wkv_mul;
use super::round::wkv_round;
use crate::blocks::prim::saturate;
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use std::fmt::Write as _;
use std::sync::Arc;

/// Largest `head_size` is below `2^COLUMN_BITS`: how much longer than a product a row's sum can be. `head_size` has 8 bits, and
/// one bit is to spare in the product itself (only −min · −min needs it).
const COLUMN_BITS: usize = 7;

/// Bits of the exact sum of one row's products.
pub fn sum_bits(state_bits: usize) -> usize {
    state_bits + OPERAND_BITS + COLUMN_BITS
}

/// Cycles from a row's last word on `a_i`/`b_i` to its result: product 2, tree, accumulator, shift, rounding, saturation.
pub fn latency(vlanes: usize) -> usize {
    2 + vlanes.ilog2() as usize + 4
}

/// The unit `name`: ± Σ a·b over a row of words of `vlanes` elements, rounded by `shift_i`, saturated to `out_bits`.
///
/// With `travel` each row brings its own shift, because rows of several sessions are under way; without it the shift is that of the instruction.
pub fn wkv_dot(
    name: &str,
    (vlanes, state_bits): (usize, usize),
    out_bits: usize,
    negate: bool,
    travel: bool,
) -> Arc<Module> {
    let levels = vlanes.ilog2() as usize;
    let product = state_bits + OPERAND_BITS;
    let acc = sum_bits(state_bits);
    let sign = if negate { "-" } else { "" };
    let mut m = Module::new(
        name,
        format!(
            "One row: sat_{out_bits}(round({sign}sum of a*b, shift_i)), a signed {state_bits} bits, b signed {OPERAND_BITS} bits, the sum exact.\n\
             A row arrives in words of {vlanes} elements, one a cycle or slower; first_i and last_i mark its ends (both for a row of one word).\n\
             Rows follow each other without a gap. Never refuses: the caller keeps room for the results.\n\
             Latency: {} cycles from the last word to valid_o, a pulse; data_o is valid with it, clipped_o says it was saturated.",
            latency(vlanes)
        ),
    );
    m.input("valid_i", 1, "a_i, b_i hold a word").input("first_i", 1, "of a row").input("last_i", 1, "of a row");
    m.input("a_i", vlanes * state_bits, "state, signed elements").input(
        "b_i",
        vlanes * OPERAND_BITS,
        "operand, signed elements",
    );
    m.input("shift_i", 6, if travel { "with last_i" } else { "stable while rows are under way" });
    m.output("valid_o", 1, "pulse: one row").output("data_o", out_bits, "signed").output(
        "clipped_o",
        1,
        "with valid_o",
    );
    let end = 2 + levels; // the stage whose register holds the sum of one word
    m.text(
        r#"
  // bit n: the word is in the registers of stage n (1, 2 product; then one a tree level)
  reg [{{end}}:1] valid_q, first_q, last_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      first_q <= '0;
      last_q  <= '0;
    end else begin
      valid_q <= {valid_q[{{end1}}:1], valid_i};
      first_q <= {first_q[{{end1}}:1], first_i};
      last_q  <= {last_q[{{end1}}:1], last_i};
    end
  end

  wire [1:0] mul_en = {valid_q[1], valid_i};
"#,
        &[("end", end.to_string()), ("end1", (end - 1).to_string())],
    );
    if travel {
        m.text(
            r#"
  reg  [{{msb}}:0] shift_q;  // one a stage, to the accumulator
  always_ff @(posedge clk_i) shift_q <= {shift_q[{{next}}:0], shift_i};
"#,
            &[("msb", (6 * (end + 1) - 1).to_string()), ("next", (6 * end - 1).to_string())],
        );
    }
    let shift = if travel { format!("shift_q[{}:{}]", 6 * end + 5, 6 * end) } else { "shift_i".into() };
    let mul = wkv_mul(state_bits, OPERAND_BITS);
    for lane in 0..vlanes {
        m.text("  wire [{{msb}}:0] t0_{{lane}};", &[("msb", (product - 1).to_string()), ("lane", lane.to_string())]);
        let slice = |bits: usize, port: &str| format!("{port}[{}:{}]", (lane + 1) * bits - 1, lane * bits);
        m.instance(
            &format!("u_mul_{lane}"),
            &mul,
            &[
                ("clk_i", "clk_i"),
                ("en_i", "mul_en"),
                ("a_i", &slice(state_bits, "a_i")),
                ("b_i", &slice(OPERAND_BITS, "b_i")),
                ("p_o", &format!("t0_{lane}")),
            ],
        );
    }
    m.text(&tree(vlanes, product), &[]);
    let ext = acc - product - levels;
    m.text(
        r#"
  // the row: exact sum, then rounded, then saturated
  wire [{{amsb}}:0] word_sum = { { {{ext}}{t{{levels}}_0[{{tmsb}}]}}, t{{levels}}_0};
  wire [{{amsb}}:0] floor;
  wire             up;
  wire [{{omsb}}:0] saturated;
  wire             clipped;
  reg  [{{amsb}}:0] acc_q, rounded_q;
  reg  [{{omsb}}:0] data_q;
  reg              clipped_q;
  reg              acc_valid_q, shifted_valid_q, rounded_valid_q, data_valid_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[{{end}}]) acc_q <= (first_q[{{end}}] ? { {{abits}}{1'b0}} : acc_q) {{op}} word_sum;
    if (shifted_valid_q) rounded_q <= floor + { {{amsb}}'b0, up};
    if (rounded_valid_q) begin
      data_q    <= saturated;
      clipped_q <= clipped;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_valid_q     <= 1'b0;
      shifted_valid_q <= 1'b0;
      rounded_valid_q <= 1'b0;
      data_valid_q    <= 1'b0;
    end else begin
      acc_valid_q     <= valid_q[{{end}}] && last_q[{{end}}];
      shifted_valid_q <= acc_valid_q;
      rounded_valid_q <= shifted_valid_q;
      data_valid_q    <= rounded_valid_q;
    end
  end

  assign valid_o   = data_valid_q;
  assign data_o    = data_q;
  assign clipped_o = data_valid_q && clipped_q;
"#,
        &[
            ("amsb", (acc - 1).to_string()),
            ("abits", acc.to_string()),
            ("omsb", (out_bits - 1).to_string()),
            ("ext", ext.to_string()),
            ("levels", levels.to_string()),
            ("tmsb", (product + levels - 1).to_string()),
            ("end", end.to_string()),
            // rounding is symmetric, but saturation is not: the sign is applied first, where it costs nothing
            ("op", if negate { "-" } else { "+" }.to_string()),
        ],
    );
    m.instance(
        "u_round",
        &wkv_round(acc, 6, acc),
        &[
            ("clk_i", "clk_i"),
            ("en_i", "acc_valid_q"),
            ("x_i", "acc_q"),
            ("shift_i", &shift),
            ("floor_o", "floor"),
            ("up_o", "up"),
        ],
    );
    m.instance(
        "u_sat",
        &saturate(acc, out_bits),
        &[("x_i", "rounded_q"), ("y_o", "saturated"), ("clipped_o", "clipped")],
    );
    m.done()
}

/// Registers of the adder tree over `t0_0 … t0_{n-1}`; level l holds `t{l}_i`, one bit longer each.
fn tree(n: usize, product: usize) -> String {
    let mut s = String::from("\n  // adder tree, one register a level\n");
    for level in 1..=n.ilog2() as usize {
        let (nodes, bits) = (n >> level, product + level);
        let names: Vec<_> = (0..nodes).map(|i| format!("t{level}_{i}")).collect();
        let _ = writeln!(s, "  reg [{}:0] {};", bits - 1, names.join(", "));
        let _ = writeln!(s, "  always_ff @(posedge clk_i) if (valid_q[{}]) begin", level + 1);
        for (i, name) in names.iter().enumerate() {
            let term = |k: usize| {
                let t = format!("t{}_{}", level - 1, 2 * i + k);
                format!("{{{t}[{}], {t}}}", bits - 2)
            };
            let _ = writeln!(s, "    {name} <= {} + {};", term(0), term(1));
        }
        s.push_str("  end\n");
    }
    s
}
