//! Fetches the operand of the matrix unit ahead of its use.

use crate::blocks::dma::columns::COLUMN_BITS;
use crate::blocks::mat::Dims;
use crate::blocks::prim::fifo;
use crate::hdl::Module;
use std::sync::Arc;

/// Walks the operand words of an instruction and hands the groups their elements.
pub(in crate::blocks) fn operands(d: &Dims) -> Arc<Module> {
    // A refill takes three cycles from the end of a word. The last word of a pass may serve a single beat when a beat has
    // four columns (cols is a multiple of 4), then two words are one cycle short; so they are when 4-bit weights straddle words.
    let depth = if d.groups == 1 { 2 } else { 4 };
    let queue = fifo(16 * d.vl + d.vl_bits() + 1, depth);
    let mut m = Module::new(
        "mat_operands",
        format!(
            "Reads the operand of an accepted instruction from xmem, ceil(cols / {vl}) words a pass, one pass for each tile\n\
             (dense formats) or one in all (columns_i), and keeps {depth} words ahead. A word serves four beats or more (W4: two), the last\n\
             one of a pass sometimes fewer; {depth} words cover the memory's latency.\n\
             x_o, 32 bits for each of the {g} groups. Low half: element index_i + group of the oldest word, or index_i for all\n\
             (use_columns_i). With use_w4_i: the pair pair_i of the window of the word used last and the oldest one, as mat_w4 counts\n\
             it, or 0 for a group of gs_i.\n\
             With skip_i (and columns_i) the columns come from col_*: each is a word of its own, x_lane_o its element, x_last_o with the\n\
             last one.\n\
             Latency: x_valid_o three cycles after accept_i. ready_o: every word of the instruction before has been asked for.",
            vl = d.vl,
            g = d.groups
        ),
    );
    m.input("accept_i", 1, "an instruction starts; only with ready_o").output("ready_o", 1, "");
    m.input("columns_i", 1, "").input("x_addr_i", 14, "word address").input("cols_i", 16, "elements of the operand");
    m.input("tiles_i", 14, "").input("skip_i", 1, "");
    m.input("col_valid_i", 1, "").output("col_ready_o", 1, "").input("col_i", COLUMN_BITS, "").input(
        "col_last_i",
        1,
        "",
    );
    m.output("xr_en_o", 1, "").output("xr_addr_o", 14, "").input("xr_data_i", 16 * d.vl, "one cycle after xr_en_o");
    m.output("x_valid_o", 1, "").input("x_pop_i", 1, "the oldest word is used up; only with x_valid_o");
    m.output("x_lane_o", d.vl_bits(), "").output("x_last_o", 1, "");
    m.input("use_columns_i", 1, "").input("index_i", d.vl_bits(), "element in the word");
    m.input("use_w4_i", 1, "").input("gs_i", d.groups, "").input("pair_i", d.groups * d.vl_bits(), "a group each");
    m.output("x_o", 32 * d.groups, "signed 2 x 16 bits a group, group 0 lowest");
    m.text(
        r#"
  // Walk: words left in this pass, passes left.
  reg         busy_q, skip_q;
  reg [13:0]  first_addr_q, addr_q, passes_q;
  reg [{{w}}:0]  words_q, left_q;
  reg [2:0]   reserved_q;  // queue entries in use or on their way
  reg         fetched_q, last_q;
  reg [{{vl_msb}}:0]  lane_q;

  wire [16:0] cols_up   = {1'b0, cols_i} + 17'd{{up}};
  wire [{{w}}:0] words     = cols_up[16:{{vl_bits}}];
  wire        pass_end  = (left_q == {{wbits}}'d1);
  wire        fetch     = busy_q && (reserved_q != 3'd{{depth}}) && (!skip_q || col_valid_i);

  wire        unused_cols_up = &{1'b0, cols_up[{{vl_msb}}:0]};

  assign ready_o   = !busy_q;
  assign xr_en_o   = fetch;
  assign xr_addr_o = skip_q ? first_addr_q + { {{vl_bits}}'d0, col_i[13:{{vl_bits}}]} : addr_q;
  assign col_ready_o = fetch && skip_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q       <= 1'b0;
      skip_q       <= 1'b0;
      first_addr_q <= 14'd0;
      addr_q       <= 14'd0;
      passes_q     <= 14'd0;
      words_q      <= {{wbits}}'d0;
      left_q       <= {{wbits}}'d0;
      reserved_q   <= 3'd0;
      fetched_q    <= 1'b0;
    end else begin
      fetched_q <= fetch;
      case ({fetch, x_pop_i})
        2'b10:   reserved_q <= reserved_q + 3'd1;
        2'b01:   reserved_q <= reserved_q - 3'd1;
        default: reserved_q <= reserved_q;
      endcase
      if (accept_i) begin
        busy_q       <= 1'b1;
        skip_q       <= skip_i;
        first_addr_q <= x_addr_i;
        addr_q       <= x_addr_i;
        passes_q     <= columns_i ? 14'd1 : tiles_i;
        words_q      <= words;
        left_q       <= words;
      end else if (fetch) begin
        addr_q <= pass_end ? first_addr_q : addr_q + 14'd1;
        left_q <= pass_end ? words_q : left_q - {{wbits}}'d1;
        if (pass_end) begin
          passes_q <= passes_q - 14'd1;
          if (passes_q == 14'd1 && !skip_q) busy_q <= 1'b0;
        end
        if (skip_q && col_last_i) busy_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (fetch) begin
      lane_q <= col_i[{{vl_msb}}:0];
      last_q <= col_last_i;
    end
  end

  wire [{{word}}:0] word;
  wire         unused_queue_ready;  // reserved_q keeps the queue from filling
"#,
        &[
            ("w", (16 - d.vl_bits()).to_string()),
            ("wbits", (17 - d.vl_bits()).to_string()),
            ("depth", depth.to_string()),
            ("up", (d.vl - 1).to_string()),
            ("vl_bits", d.vl_bits().to_string()),
            ("vl_msb", (d.vl_bits() - 1).to_string()),
            ("word", (16 * d.vl - 1).to_string()),
        ],
    );
    m.instance(
        "u_queue",
        &queue,
        &[
            ("in_valid_i", "fetched_q"),
            ("in_ready_o", "unused_queue_ready"),
            ("in_data_i", "{last_q, lane_q, xr_data_i}"),
            ("out_valid_o", "x_valid_o"),
            ("out_ready_i", "x_pop_i"),
            ("out_data_o", "{x_last_o, x_lane_o, word}"),
        ],
    );
    window(&mut m, d);
    m.done()
}

/// The operands of each group out of the window of two words.
fn window(m: &mut Module, d: &Dims) {
    let (vl, vb) = (d.vl, d.vl_bits());
    let word = 16 * vl - 1;
    if d.groups == 1 {
        // two columns a beat never straddle words
        m.text(
            "\n  wire [{{w}}:0] window = word;\n  wire unused_pair = &{1'b0, use_columns_i, pair_i[1]};",
            &[("w", word.to_string())],
        );
    } else {
        m.text(
            r#"
  reg  [{{w}}:0] used_q;  // the word used last
  wire [{{ww}}:0] window = {word, used_q};

  always_ff @(posedge clk_i) begin
    if (x_pop_i && use_w4_i) used_q <= word;
  end
"#,
            &[("w", word.to_string()), ("ww", (2 * word + 1).to_string())],
        );
    }
    // Both ways choose a pair of the window; without 4-bit weights one half of it counts.
    let pair_bits = if d.groups == 1 { vb - 1 } else { vb };
    for g in 0..d.groups {
        let index = match g {
            0 => "index_i".to_string(),
            _ => format!("(index_i | (use_columns_i ? {vb}'d0 : {vb}'d{g}))"),
        };
        let oldest = if d.groups == 1 { "" } else { "1'b1, " };
        m.text(
            r#"
  wire [{{vmsb}}:0] index_{{g}} = {{index}};
  wire [{{pmsb}}:0] at_{{g}} = use_w4_i ? pair_i[{{phi}}:{{plo}}] : { {{oldest}}index_{{g}}[{{vmsb}}:1]};
  wire [31:0] pair_{{g}} = window[{at_{{g}}, 5'd0} +: 32];
  assign x_o[{{hi}}:{{lo}}] = !use_w4_i ? {16'd0, index_{{g}}[0] ? pair_{{g}}[31:16] : pair_{{g}}[15:0]}
                              : {{gs}} ? 32'd0 : pair_{{g}};
"#,
            &[
                ("vmsb", (vb - 1).to_string()),
                ("g", g.to_string()),
                ("gs", if d.groups == 1 { "gs_i".into() } else { format!("gs_i[{g}]") }),
                ("index", index),
                ("pmsb", (pair_bits - 1).to_string()),
                ("phi", (g * vb + pair_bits - 1).to_string()),
                ("plo", (g * vb).to_string()),
                ("oldest", oldest.into()),
                ("hi", (32 * g + 31).to_string()),
                ("lo", (32 * g).to_string()),
            ],
        );
    }
}
