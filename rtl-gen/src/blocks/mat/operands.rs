//! Fetches the operand of the matrix unit ahead of its use.

use crate::blocks::mat::dims::Dims;
use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;

/// Walks the operand words of an instruction and hands the groups their elements.
pub(in crate::blocks) fn operands(d: &Dims) -> Arc<Module> {
    // A refill takes three cycles from the end of a word. The last word of a pass may serve a single beat when a beat has
    // four columns (cols is a multiple of 4), then two words are one cycle short; so they are when 4-bit weights straddle words.
    let depth = if d.groups == 1 { 2 } else { 4 };
    let mut m = Module::new(
        "mat_operands",
        format!(
            "Reads the operand of an accepted instruction from xmem, ceil(cols / {vl}) words a pass, one pass for each tile\n\
             (dense formats) or one in all (columns_i), and keeps {depth} words ahead. A word serves four beats or more (W4: two), the last\n\
             one of a pass sometimes fewer; {depth} words cover the memory's latency.\n\
             x_o has two operands for each of the {g} groups. The low one is element index_i + group of the oldest word, or index_i for all\n\
             (use_columns_i). With use_w4_i they are the pair pair_i of the window of the word used last and the oldest one, as mat_w4\n\
             counts it, or 0 for a group of gs_i.\n\
             With skip_i (and columns_i) the columns come from col_*: each is a word of its own, x_lane_o its element, x_last_o with the\n\
             last one.\n\
             Latency: x_valid_o three cycles after accept_i. ready_o: every word of the instruction before has been asked for.",
            vl = d.vl,
            g = d.groups
        ),
    );
    ports! { m;
        accept_i "an instruction starts; only with ready_o", ready_o, columns_i,
        x_addr_i["anser_pkg::MAT_X_ADDR_BITS"] "word address",
        cols_i["anser_pkg::MAT_COLS_BITS"] "elements of the operand", tiles_i["anser_pkg::MAT_TILES_BITS"], skip_i,
        col_valid_i, col_ready_o, col_i["anser_pkg::COLUMN_BITS"], col_last_i, xr_en_o,
        xr_addr_o["anser_pkg::MAT_X_ADDR_BITS"], xr_data_i[OPERAND_BITS * d.vl] "one cycle after xr_en_o", x_valid_o,
        x_pop_i "the oldest word is used up; only with x_valid_o", x_lane_o[d.vl_bits()], x_last_o, use_columns_i,
        index_i[d.vl_bits()] "element in the word", use_w4_i, gs_i[d.groups],
        pair_i[d.groups * d.vl_bits()] "a group each",
        x_o[2 * OPERAND_BITS * d.groups] "two signed operands a group, group 0 lowest",
    }
    sizes! { m; GROUPS = d.groups, VL = d.vl, DEPTH = depth }
    m.body(rtl!("mat/mat_operands"));
    instance! { m, "u_queue", fifo(OPERAND_BITS * d.vl + d.vl_bits() + 1, depth);
        in_valid_i: fetched_q, in_ready_o: unused_queue_ready, in_data_i: "{last_q, lane_q, xr_data_i}",
        out_valid_o: x_valid_o, out_ready_i: x_pop_i, out_data_o: "{x_last_o, x_lane_o, word}",
    }
    m.body(match d.groups {
        1 => rtl!("mat/mat_operands_one"),
        _ => rtl!("mat/mat_operands_two"),
    });
    m.body(rtl!("mat/mat_operands_window"));
    m.done()
}
