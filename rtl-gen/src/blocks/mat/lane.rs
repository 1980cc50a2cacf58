//! The multiply-accumulate lanes of the matrix unit: one lane, and the group of sixteen that 16 bytes of a beat feed.

use crate::blocks::mat::Dims;
use crate::blocks::prim::ram_1w1r;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Rows of a tile: byte lanes of a group.
const LANES: usize = 16;

/// One byte lane: multiplier, accumulator and the hand-over register of a finished sum.
fn lane(d: &Dims) -> Arc<Module> {
    let mut m = Module::combinational(
        "mat_lane",
        format!(
            "One byte lane of the matrix unit: operand times weight, accumulated exactly; one multiplier for all formats.\n\
             Latency: w_i is registered in every cycle. en_b_i, in the cycle after a beat was taken, registers the factors: operand and byte, or (w4_i) scale of the columns\n\
             and what their two nibbles give, q0 x0 + q1 x1 (21 bits). en_m_i, after that, registers the product; en_c_i, a cycle\n\
             later, adds it to 0, to acc_i or to the lane's last sum. load_i, only together with en_c_i, copies the new sum to hold_o.\n\
             A product has 24 bits (-32768 x 255 at worst), with 4-bit weights 28 (2 x -8 x -32768 x 255), so {} bits hold the sum\n\
             over {} columns, or over {} of 4-bit weights. No reset: data only, every use follows a write.",
            d.acc, d.max_cols, d.max_w4_cols
        ),
    );
    m.input("clk_i", 1, "");
    m.input("w_i", 8, "weight byte, or nibbles: low, high");
    m.input("unsigned_i", 1, "w_i is the low byte of a 16-bit weight").output("w_o", 8, "w_i a cycle ago");
    m.input("en_b_i", 1, "register the factors").input(
        "x_i",
        32,
        "signed 2 x 16, registered: low half, or both with w4_i",
    );
    m.input("x_sum_i", 17, "signed, the sum of both");
    m.input("w4_i", 1, "with en_b_i: nibbles").input("gs_i", 8, "unsigned scale, with en_b_i");
    m.input("en_m_i", 1, "register the product").input("en_c_i", 1, "accumulate");
    m.input("from_zero_i", 1, "the sum starts here").input("from_ram_i", 1, "the sum so far is acc_i");
    m.input("acc_i", d.acc, "signed, from the accumulator memory").input("load_i", 1, "the sum is complete");
    m.output("sum_o", d.acc, "signed, the new sum, combinational").output(
        "hold_o",
        d.acc,
        "signed, the last complete sum",
    );
    m.text(
        r#"
  reg signed [8:0]   w_q, by_q;
  reg signed [20:0]  x_q;
  reg signed [27:0]  product_q;
  reg [{{msb}}:0]       sum_q, hold_q;

  // q0 x0 + q1 x1, a bit of both nibbles at a time: 0, x0, x1 or both. Adders, because multipliers are few and far apart
  wire signed [16:0] x0     = {x_i[15], x_i[15:0]};
  wire signed [16:0] x1     = {x_i[31], x_i[31:16]};
{{planes}}
  wire signed [18:0] low    = { {2{bit_0[16]}}, bit_0} + {bit_1[16], bit_1, 1'b0};
  wire signed [18:0] high   = { {2{bit_2[16]}}, bit_2} - {bit_3[16], bit_3, 1'b0};  // bit 3 is the sign
  wire signed [20:0] pair   = { {2{low[18]}}, low} + {high, 2'b0};
  wire signed [27:0] x_wide = { {7{x_q[20]}}, x_q};
  wire signed [27:0] by_wide = { {19{by_q[8]}}, by_q};
  wire [{{msb}}:0]      so_far = from_zero_i ? {{acc}}'d0 : from_ram_i ? acc_i : sum_q;

  assign w_o    = w_q[7:0];
  assign sum_o  = so_far + { {({{ext}}){product_q[27]}}, product_q};
  assign hold_o = hold_q;

  always_ff @(posedge clk_i) begin
    w_q <= {w_i[7] && !unsigned_i, w_i};
    if (en_b_i) begin
      x_q  <= w4_i ? pair : { {4{x0[16]}}, x0};
      by_q <= w4_i ? {1'b0, gs_i} : w_q;
    end
    if (en_m_i) product_q <= x_wide * by_wide;
    if (en_c_i) sum_q <= sum_o;
    if (load_i) hold_q <= sum_o;
  end
"#,
        &[
            ("msb", (d.acc - 1).to_string()),
            ("acc", d.acc.to_string()),
            ("ext", (d.acc - 28).to_string()),
            ("planes", (0..4).map(plane).collect::<Vec<_>>().join("\n")),
        ],
    );
    m.multipliers(1);
    m.done()
}

/// What bit `k` of the two nibbles takes.
fn plane(k: usize) -> String {
    let high = k + 4;
    format!("  wire signed [16:0] bit_{k}  = w_q[{k}] ? (w_q[{high}] ? x_sum_i : x0) : w_q[{high}] ? x1 : 17'sd0;")
}

/// Sixteen lanes that share an operand, their accumulator memory, and the mux the drain reads them through.
pub(in crate::blocks) fn group(d: &Dims) -> Arc<Module> {
    let lane = lane(d);
    let ram = ram_1w1r(LANES * d.column_acc, d.entries);
    let entry = index_bits(d.entries);
    let mut m = Module::combinational(
        "mat_group",
        format!(
            "Sixteen byte lanes that share one operand (W4: two): the 16 rows of a tile, or 8 rows of low (even) and high (odd) bytes.\n\
             The memory keeps {} partial sums a lane for the column-wise format; it is written in the cycle of en_c_i, so a sum\n\
             may be read back (ram_re_i in the cycle of en_m_i) from the second beat after it on. Beat after beat of one entry\n\
             uses the lanes' own sum instead. Dense formats never touch the memory.\n\
             Read side: row_en_i registers lanes 2 pair_i and 2 pair_i + 1 of the hand-over registers in even_o and odd_o, or 0\n\
             in both if row_sel_i is low. Latency: as mat_lane; one cycle for the read side. No reset: data only.",
            d.entries
        ),
    );
    m.input("clk_i", 1, "");
    m.input("w_i", 8 * LANES, "16 weight bytes, lane 0 lowest");
    m.input("w16_i", 1, "even lanes are unsigned").input("x_i", 32, "signed operands");
    m.output("w_o", 8 * LANES, "w_i a cycle ago");
    m.input("en_b_i", 1, "register the factors").input("w4_i", 1, "with en_b_i").input(
        "gs_i",
        8 * LANES,
        "with en_b_i",
    );
    m.input("en_m_i", 1, "register the products").input("en_c_i", 1, "accumulate");
    m.input("from_zero_i", 1, "").input("from_ram_i", 1, "").input("load_i", 1, "the sums are complete");
    m.input("ram_re_i", 1, "").input("ram_raddr_i", entry, "");
    m.input("ram_we_i", 1, "").input("ram_waddr_i", entry, "");
    m.input("row_en_i", 1, "").input("row_sel_i", 1, "").input("pair_i", 3, "");
    m.output("even_o", d.acc, "signed").output("odd_o", d.acc, "signed");
    m.text(
        r#"
  reg  [31:0] x_q;
  reg  [16:0] x_sum_q;  // of the two operands, which every lane needs
  wire [{{ram}}:0] acc;
  reg  [{{msb}}:0] even, odd, even_q, odd_q;
"#,
        &[("ram", (LANES * d.column_acc - 1).to_string()), ("msb", (d.acc - 1).to_string())],
    );
    for i in 0..LANES {
        m.text("  wire [{{msb}}:0] sum_{{i}}, hold_{{i}};", &[("msb", (d.acc - 1).to_string()), ("i", i.to_string())]);
    }
    m.text(
        r#"

  always_ff @(posedge clk_i) begin
    x_q     <= x_i;
    x_sum_q <= {x_i[15], x_i[15:0]} + {x_i[31], x_i[31:16]};
  end

  always_comb begin
    case (pair_i)
{{cases}}
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (row_en_i) begin
      even_q <= row_sel_i ? even : {{acc}}'d0;
      odd_q  <= row_sel_i ? odd : {{acc}}'d0;
    end
  end

  assign even_o = even_q;
  assign odd_o  = odd_q;
"#,
        &[
            ("acc", d.acc.to_string()),
            (
                "cases",
                (0..LANES / 2)
                    .map(|p| {
                        let label = if p == LANES / 2 - 1 { "default".into() } else { format!("3'd{p}") };
                        format!("      {label}: begin even = hold_{}; odd = hold_{}; end", 2 * p, 2 * p + 1)
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
        ],
    );
    let top = d.column_acc - 1;
    let sums = (0..LANES).rev().map(|i| format!("sum_{i}[{top}:0]")).collect::<Vec<_>>().join(", ");
    if d.acc > d.column_acc {
        let upper: Vec<_> = (0..LANES).map(|i| format!("sum_{i}[{}:{}]", d.acc - 1, d.column_acc)).collect();
        m.text(
            "  wire unused_upper = &{1'b0, {{u}}};  // column sums are bytes times operands",
            &[("u", upper.join(", "))],
        );
    }
    m.instance(
        "u_acc",
        &ram,
        &[
            ("clk_i", "clk_i"),
            ("we_i", "ram_we_i"),
            ("waddr_i", "ram_waddr_i"),
            ("wdata_i", &format!("{{{sums}}}")),
            ("re_i", "ram_re_i"),
            ("raddr_i", "ram_raddr_i"),
            ("rdata_o", "acc"),
        ],
    );
    for i in 0..LANES {
        m.instance(
            &format!("u_lane_{i}"),
            &lane,
            &[
                ("w_i", &format!("w_i[{}:{}]", 8 * i + 7, 8 * i)),
                ("unsigned_i", if i % 2 == 0 { "w16_i" } else { "1'b0" }),
                ("w_o", &format!("w_o[{}:{}]", 8 * i + 7, 8 * i)),
                ("x_i", "x_q"),
                ("x_sum_i", "x_sum_q"),
                ("en_b_i", "en_b_i"),
                ("w4_i", "w4_i"),
                ("gs_i", &format!("gs_i[{}:{}]", 8 * i + 7, 8 * i)),
                ("en_m_i", "en_m_i"),
                ("en_c_i", "en_c_i"),
                ("from_zero_i", "from_zero_i"),
                ("from_ram_i", "from_ram_i"),
                ("acc_i", &column_sum(d, i)),
                ("load_i", "load_i"),
                ("sum_o", &format!("sum_{i}")),
                ("hold_o", &format!("hold_{i}")),
            ],
        );
    }
    m.done()
}

/// Lane `i`'s sum out of the memory, at the width of an accumulator.
fn column_sum(d: &Dims, i: usize) -> String {
    let (hi, lo) = ((i + 1) * d.column_acc - 1, i * d.column_acc);
    match d.acc - d.column_acc {
        0 => format!("acc[{hi}:{lo}]"),
        n => format!("{{ {{{n}{{acc[{hi}]}}}}, acc[{hi}:{lo}]}}"),
    }
}
