//! The sequencer of the matrix unit: what each weight beat is.

use crate::blocks::mat::dims::{Dims, LANES};
use crate::blocks::mat::w4::w4;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Takes the beats of the stream, tells scales from weights and drives the lanes.
pub(in crate::blocks) fn control(d: &Dims) -> Arc<Module> {
    let entry = index_bits(d.entries);
    let mut m = Module::new(
        "mat_control",
        format!(
            "Sequencer of the matrix unit: takes one weight beat a cycle, scale units into the scale queue, weights to the lanes.\n\
             Every format is two nested counters: beats of a tile in all tiles, or (columns) entries of a column in all columns.\n\
             Where scales and columns lie in a beat of 4-bit weights is mat_w4's business.\n\
             An instruction waits in a second set of registers while the one before runs; one cycle lies between them.\n\
             A beat that completes sums is taken only when the drain is sure to have emptied the hand-over registers in time;\n\
             sums beyond the last row are never handed over. tiles, rows and cols are at least 1, cols a multiple of 4 (W4: 32).\n\
             Latency: a beat taken in cycle T is in the b stage (nibbles) in T+1, multiplies in T+2 (m stage) and accumulates in T+3\n\
             (c stage), where load_o hands over the sums of up to {} rows. w_ready_o does not depend on w_valid_i.",
            LANES * d.groups
        ),
    );
    m.input("accept_i", 1, "an instruction; only with ready_o").output("ready_o", 1, "");
    m.input("columns_i", 1, "format W8_COLUMNS").input("w16_i", 1, "format W16").input("w4_i", 1, "format W4");
    m.input("skip_i", 1, "with columns_i: only the columns that come, to the one with x_last_i");
    m.input("shift_i", "anser_pkg::MAT_LOAD_SHIFT_BITS", "signed: shift - xexp");
    m.input("cols_i", "anser_pkg::MAT_COLS_BITS", "").input("tiles_i", "anser_pkg::MAT_TILES_BITS", "");
    m.input("rows_i", "anser_pkg::MAT_ROWS_BITS", "");
    m.input("w_valid_i", 1, "").output("w_ready_o", 1, "");
    m.output("scale_push_o", 1, "the beat taken a cycle ago is scales to keep");
    m.input("x_lane_i", d.vl_bits(), "element of the column, with skip_i").input("x_last_i", 1, "");
    m.input("x_valid_i", 1, "").output("x_pop_o", 1, "");
    m.output("x_columns_o", 1, "").output("x_index_o", d.vl_bits(), "");
    m.output("x_w4_o", 1, "").output("x_gs_o", d.groups, "groups that hold scales of columns");
    m.output("x_pair_o", d.groups * d.vl_bits(), "places of the two columns of a group");
    m.output("en_a_o", 1, "this beat is weights").output("w16_o", 1, "of the beat on offer");
    m.output("en_b_o", 1, "").output("w4_o", 1, "b stage").output("en_m_o", 1, "").output("en_c_o", 1, "");
    m.output("from_zero_o", 1, "c stage").output("from_ram_o", 1, "c stage");
    m.output("ram_re_o", 1, "m stage").output("ram_raddr_o", entry, "");
    m.output("ram_we_o", 1, "c stage").output("ram_waddr_o", entry, "");
    m.input("hold_ok_i", 1, "the hand-over registers are free three cycles from now");
    m.output("loading_o", 1, "sums are complete in the a, b or m stage");
    m.output("load_o", 1, "c stage: the sums are complete; the next five describe them");
    m.output("load_columns_o", 1, "").output("load_w16_o", 1, "");
    m.output("load_shift_o", "anser_pkg::MAT_LOAD_SHIFT_BITS", "");
    m.output("load_rows_o", "anser_pkg::MAT_LOAD_ROWS_BITS", "rows to drain");
    m.output("load_last_o", 1, "with them the instruction ends");
    m.output("stall_weights_o", 1, "a beat could be taken, none is there");
    m.output("stall_drain_o", 1, "the drain keeps the next beat from being taken");
    m.sizes(&[("GROUPS", d.groups), ("VL", d.vl), ("ENTRIES", d.entries), ("UNIT_BEATS", d.unit_beats)]);
    m.body(include_str!("../../../rtl/mat/mat_control.sv"));
    m.body(match d.unit_beats {
        1 => "  assign unit_last = 1'b1;",
        _ => include_str!("../../../rtl/mat/mat_control_unit.sv"),
    });
    m.body(include_str!("../../../rtl/mat/mat_control_stages.sv"));
    m.instance(
        "u_w4",
        &w4(d),
        &[
            ("start_i", "start_w4"),
            ("cols_i", "next_cols_q"),
            ("step_i", "take_w4"),
            ("tile_last_i", "inner_last"),
            ("gs_o", "x_gs_o"),
            ("pair_o", "x_pair_o"),
            ("needed_o", "w4_needed"),
            ("pop_o", "w4_pop"),
        ],
    );
    m.done()
}
