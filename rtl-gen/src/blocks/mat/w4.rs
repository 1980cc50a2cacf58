//! What the 4-bit format adds to the matrix unit: where the scales of the column groups lie in the beats, and which operand a nibble meets.

use crate::blocks::mat::Dims;
use crate::hdl::Module;
use std::sync::Arc;

/// 16-byte groups of 32 columns: one of scales, 16 of nibbles (`golden_model::image::nibble_tiles`).
const PERIOD: usize = 17;

/// Bits of a count of operand words in one pass.
fn word_bits(d: &Dims) -> usize {
    16 - d.vl_bits()
}

/// Walks the 16-byte groups of a W4 tile, a beat a step.
pub(in crate::blocks) fn sequence(d: &Dims) -> Arc<Module> {
    let (g, vb, wb) = (d.groups, d.vl_bits(), word_bits(d));
    let mut m = Module::new(
        "mat_w4",
        format!(
            "Sequencer of the 4-bit format: what each of the {g} groups of the next beat is. 32 columns are {PERIOD} groups, gs first, so gs\n\
             moves through the beat. Every other group has two columns: pair_o is their place in the window of the last used operand\n\
             word (pairs 0 to {}) and the oldest word of the queue (the next {}). A word goes (pop_o) as soon as the next beat may need\n\
             columns of the word behind it. Groups that fill up a tile count on: their weights are 0, what they meet does not matter.\n\
             Latency: outputs are those of the coming beat, from registers; step_i takes it. start_i goes before step_i.",
            d.vl / 2 - 1,
            d.vl / 2
        ),
    );
    m.input("start_i", 1, "an instruction of this format begins").input("cols_i", 16, "its columns, a multiple of 32");
    m.input("step_i", 1, "a beat of weights is taken").input("tile_last_i", 1, "it is the tile's last");
    m.output("gs_o", g, "one-hot or 0: the group that holds gs");
    m.output("pair_o", g * vb, "a group each: its columns in the window, in pairs");
    m.output("needed_o", 1, "an operand word of this pass is still to be used").output(
        "pop_o",
        1,
        "with step_i: it goes",
    );
    let gs: Vec<String> =
        (0..g).map(|i| format!("(place_q == 5'd{})", if i == 0 { 0 } else { PERIOD - i })).rev().collect();
    let pairs: Vec<String> = (0..g)
        .map(|i| match i {
            0 => "offset_q".to_string(),
            1 => format!("offset_q + {{{}'d0, !gs_o[0]}}", vb - 1),
            _ => format!("offset_q + ((|gs_o[{}:0]) ? {vb}'d{} : {vb}'d{i})", i - 1, i - 1),
        })
        .rev()
        .collect();
    m.text(
        r#"
  reg  [4:0]    place_q;   // of group 0 in its 17
  reg  [{{vmsb}}:0] offset_q;  // of its columns in the window, in pairs
  reg  [{{wmsb}}:0] words_q, left_q;  // operand words of a pass; those not gone yet

  wire [5:0]    place_up   = {1'b0, place_q} + 6'd{{g}};
  wire          wraps      = (place_up >= 6'd{{period}});
  wire [4:0]    place_next = wraps ? place_up[4:0] - 5'd{{period}} : place_up[4:0];
  wire [{{vb}}:0] offset_up  = {1'b0, offset_q} + ((|gs_o) ? {{ob}}'d{{gm1}} : {{ob}}'d{{g}});
  wire          word_end   = (offset_up > {{ob}}'d{{most}});
  wire          last_word  = tile_last_i || word_end;

  wire          unused_cols = &{1'b0, cols_i[{{vmsb}}:0]};

  assign gs_o     = { {{gs}} };
  assign pair_o   = { {{pairs}} };
  reg           needed_q;  // left_q is not 0
  assign needed_o = needed_q;
  assign pop_o    = needed_o && last_word;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      place_q  <= 5'd0;
      offset_q <= {{vb}}'d{{half}};
      words_q  <= {{wb}}'d0;
      left_q   <= {{wb}}'d0;
      needed_q <= 1'b0;
    end else if (start_i) begin
      place_q  <= 5'd0;
      offset_q <= {{vb}}'d{{half}};
      words_q  <= cols_i[15:{{vb}}];
      left_q   <= cols_i[15:{{vb}}];
      needed_q <= (|cols_i[15:{{vb}}]);
    end else if (step_i) begin
      place_q  <= tile_last_i ? 5'd0 : place_next;
      offset_q <= tile_last_i ? {{vb}}'d{{half}} : word_end ? offset_up[{{vmsb}}:0] - {{vb}}'d{{half}} : offset_up[{{vmsb}}:0];
      left_q   <= tile_last_i ? words_q : pop_o ? left_q - {{wb}}'d1 : left_q;
      needed_q <= tile_last_i ? (|words_q) : needed_q && !(last_word && left_q == {{wb}}'d1);
    end
  end
"#,
        &[
            ("vb", vb.to_string()),
            ("vmsb", (vb - 1).to_string()),
            ("ob", (vb + 1).to_string()),
            ("wb", wb.to_string()),
            ("wmsb", (wb - 1).to_string()),
            ("g", g.to_string()),
            ("gm1", (g - 1).to_string()),
            ("period", PERIOD.to_string()),
            ("half", (d.vl / 2).to_string()),
            ("most", (d.vl - g).to_string()),
            ("gs", gs.join(", ")),
            ("pairs", pairs.join(", ")),
        ],
    );
    m.done()
}

/// Hands every group the scales of its columns.
pub(in crate::blocks) fn scales(d: &Dims) -> Arc<Module> {
    let g = d.groups;
    let mut m = Module::new(
        "mat_gs",
        "Scales of the column groups of the 4-bit format, 16 rows of 8 bits: groups of a beat before the one with new scales use\n\
             the old ones, those after it the new ones; with no new ones in the beat all use the old ones.\n\
         Latency: sel_i with en_a_i; gs_o is combinational in the cycle after, when w_i holds the beat, and en_b_i ends that cycle.\n\
         What a group that holds scales is given itself is of no use: its operands are 0.",
    );
    m.input("en_a_i", 1, "").input("sel_i", g, "one-hot or 0: this group of the beat is scales");
    m.input("en_b_i", 1, "").input("w_i", 128 * g, "the beat, registered").output(
        "gs_o",
        128 * g,
        "unsigned, 16 a group",
    );
    let one = |i: usize| format!("w_i[{}:{}]", 128 * i + 127, 128 * i);
    // the last group is what is left: no comparison for it
    let fresh = (0..g - 1).map(|i| format!("sel_q[{i}] ? {} : ", one(i))).collect::<String>() + &one(g - 1);
    m.text(
        r#"
  reg  [{{msb}}:0]   sel_q;
  reg  [127:0] held_q;
  wire [127:0] fresh = {{fresh}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sel_q <= {{g}}'d0;
    else if (en_a_i) sel_q <= sel_i;
  end

  always_ff @(posedge clk_i) begin
    if (en_b_i && (|sel_q)) held_q <= fresh;
  end

  assign gs_o[127:0] = held_q;
"#,
        &[("msb", (g - 1).to_string()), ("g", g.to_string()), ("fresh", fresh)],
    );
    for i in 1..g {
        m.text(
            "  assign gs_o[{{hi}}:{{lo}}] = (|sel_q[{{top}}:0]) ? fresh : held_q;",
            &[("hi", (128 * i + 127).to_string()), ("lo", (128 * i).to_string()), ("top", (i - 1).to_string())],
        );
    }
    m.done()
}
