//! Fetches the operand of the matrix unit ahead of its use.

use super::mat::Dims;
use super::prim::fifo;
use crate::hdl::Module;
use std::sync::Arc;

/// Walks the operand words of an instruction and hands the groups their elements.
pub(super) fn operands(d: &Dims) -> Arc<Module> {
    // A refill takes three cycles from the end of a word. The last word of a pass may serve a single beat when a beat has
    // four columns (cols is a multiple of 4), then two words are one cycle short.
    let depth = if d.groups == 4 { 4 } else { 2 };
    let queue = fifo(16 * d.vl, depth);
    let mut m = Module::new(
        "mat_operands",
        format!(
            "Reads the operand of an accepted instruction from xmem, ceil(cols / {vl}) words a pass, one pass for each tile\n\
             (dense formats) or one in all (columns_i), and keeps {depth} words ahead. A word serves four beats or more, the last one of\n\
             a pass sometimes fewer; {depth} words cover the memory's latency.\n\
             x_o: the element of each of the {g} groups: index_i + group of the oldest word, or index_i for all (use_columns_i).\n\
             Latency: x_valid_o three cycles after accept_i. ready_o: every word of the instruction before has been asked for.",
            vl = d.vl,
            g = d.groups
        ),
    );
    m.input("accept_i", 1, "an instruction starts; only with ready_o").output("ready_o", 1, "");
    m.input("columns_i", 1, "").input("x_addr_i", 14, "word address").input("cols_i", 16, "elements of the operand");
    m.input("tiles_i", 14, "");
    m.output("xr_en_o", 1, "").output("xr_addr_o", 14, "").input("xr_data_i", 16 * d.vl, "one cycle after xr_en_o");
    m.output("x_valid_o", 1, "").input("x_pop_i", 1, "the oldest word is used up; only with x_valid_o");
    m.input("use_columns_i", 1, "").input("index_i", d.vl_bits(), "element in the word");
    m.output("x_o", 16 * d.groups, "signed 16 bits a group, group 0 lowest");
    m.text(
        r#"
  // Walk: words left in this pass, passes left.
  reg         busy_q;
  reg [13:0]  first_addr_q, addr_q, passes_q;
  reg [{{w}}:0]  words_q, left_q;
  reg [2:0]   reserved_q;  // queue entries in use or on their way
  reg         fetched_q;

  wire [16:0] cols_up   = {1'b0, cols_i} + 17'd{{up}};
  wire [{{w}}:0] words     = cols_up[16:{{vl_bits}}];
  wire        pass_end  = (left_q == {{wbits}}'d1);
  wire        fetch     = busy_q && (reserved_q != 3'd{{depth}});

  wire        unused_cols_up = &{1'b0, cols_up[{{vl_msb}}:0]};

  assign ready_o   = !busy_q;
  assign xr_en_o   = fetch;
  assign xr_addr_o = addr_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q       <= 1'b0;
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
          if (passes_q == 14'd1) busy_q <= 1'b0;
        end
      end
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
            ("in_data_i", "xr_data_i"),
            ("out_valid_o", "x_valid_o"),
            ("out_ready_i", "x_pop_i"),
            ("out_data_o", "word"),
        ],
    );
    for g in 0..d.groups {
        let index = match g {
            0 => "index_i".to_string(),
            _ => format!("(index_i | (use_columns_i ? {0}'d0 : {0}'d{g}))", d.vl_bits()),
        };
        m.text(
            "\n  wire [{{msb}}:0] index_{{g}} = {{index}};\n  assign x_o[{{hi}}:{{lo}}] = word[{index_{{g}}, 4'd0} +: 16];",
            &[
                ("msb", (d.vl_bits() - 1).to_string()),
                ("g", g.to_string()),
                ("index", index),
                ("hi", (16 * g + 15).to_string()),
                ("lo", (16 * g).to_string()),
            ],
        );
    }
    if d.groups == 1 {
        m.text("  wire unused_columns = &{1'b0, use_columns_i};", &[]);
    }
    m.done()
}
