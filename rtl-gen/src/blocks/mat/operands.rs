//! Fetches the operand of the matrix unit ahead of its use.

use crate::blocks::mat::dims::Dims;
use crate::blocks::prim::fifo;
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use std::sync::Arc;

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
    m.input("accept_i", 1, "an instruction starts; only with ready_o").output("ready_o", 1, "");
    m.input("columns_i", 1, "").input("x_addr_i", "anser_pkg::MAT_X_ADDR_BITS", "word address");
    m.input("cols_i", "anser_pkg::MAT_COLS_BITS", "elements of the operand");
    m.input("tiles_i", "anser_pkg::MAT_TILES_BITS", "").input("skip_i", 1, "");
    m.input("col_valid_i", 1, "").output("col_ready_o", 1, "");
    m.input("col_i", "anser_pkg::COLUMN_BITS", "").input("col_last_i", 1, "");
    m.output("xr_en_o", 1, "").output("xr_addr_o", "anser_pkg::MAT_X_ADDR_BITS", "");
    m.input("xr_data_i", OPERAND_BITS * d.vl, "one cycle after xr_en_o");
    m.output("x_valid_o", 1, "").input("x_pop_i", 1, "the oldest word is used up; only with x_valid_o");
    m.output("x_lane_o", d.vl_bits(), "").output("x_last_o", 1, "");
    m.input("use_columns_i", 1, "").input("index_i", d.vl_bits(), "element in the word");
    m.input("use_w4_i", 1, "").input("gs_i", d.groups, "").input("pair_i", d.groups * d.vl_bits(), "a group each");
    m.output("x_o", 2 * OPERAND_BITS * d.groups, "two signed operands a group, group 0 lowest");
    m.sizes(&[("GROUPS", d.groups), ("VL", d.vl), ("DEPTH", depth)]);
    m.body(include_str!("../../../rtl/mat/mat_operands.sv"));
    m.instance(
        "u_queue",
        &fifo(OPERAND_BITS * d.vl + d.vl_bits() + 1, depth),
        &[
            ("in_valid_i", "fetched_q"),
            ("in_ready_o", "unused_queue_ready"),
            ("in_data_i", "{last_q, lane_q, xr_data_i}"),
            ("out_valid_o", "x_valid_o"),
            ("out_ready_i", "x_pop_i"),
            ("out_data_o", "{x_last_o, x_lane_o, word}"),
        ],
    );
    m.body(match d.groups {
        1 => include_str!("../../../rtl/mat/mat_operands_one.sv"),
        _ => include_str!("../../../rtl/mat/mat_operands_two.sv"),
    });
    m.body(include_str!("../../../rtl/mat/mat_operands_window.sv"));
    m.done()
}
