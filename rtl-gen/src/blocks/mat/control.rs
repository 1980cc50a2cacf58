//! The sequencer of the matrix unit: what each weight beat is.

use crate::blocks::mat::dims::Dims;
use crate::blocks::mat::w4::w4;
use crate::blocks::prelude::*;

/// Takes the beats of the stream, separates scales from weights and drives the lanes.
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
            MAT_LANES * d.groups
        ),
    );
    ports! { m;
        accept_i "an instruction; only with ready_o", ready_o, columns_i "format W8_COLUMNS", w16_i "format W16",
        w4_i "format W4", skip_i "with columns_i: only the columns that come, to the one with x_last_i",
        shift_i["anser_pkg::MAT_LOAD_SHIFT_BITS"] "signed: shift - xexp", cols_i["anser_pkg::MAT_COLS_BITS"],
        tiles_i["anser_pkg::MAT_TILES_BITS"], rows_i["anser_pkg::MAT_ROWS_BITS"], w_valid_i, w_ready_o,
        scale_push_o "the beat taken a cycle ago is scales to keep",
        x_lane_i[d.vl_bits()] "element of the column, with skip_i", x_last_i, x_valid_i, x_pop_o, x_columns_o,
        x_index_o[d.vl_bits()], x_w4_o, x_gs_o[d.groups] "groups that hold scales of columns",
        x_pair_o[d.groups * d.vl_bits()] "places of the two columns of a group", en_a_o "this beat is weights",
        w16_o "of the beat on offer", en_b_o, w4_o "b stage", en_m_o, en_c_o, from_zero_o "c stage",
        from_ram_o "c stage", ram_re_o "m stage", ram_raddr_o[entry], ram_we_o "c stage", ram_waddr_o[entry],
        hold_ok_i "the hand-over registers are free three cycles from now",
        loading_o "sums are complete in the a, b or m stage",
        load_o "c stage: the sums are complete; the next five describe them", load_columns_o, load_w16_o,
        load_shift_o["anser_pkg::MAT_LOAD_SHIFT_BITS"], load_rows_o["anser_pkg::MAT_LOAD_ROWS_BITS"] "rows to drain",
        load_last_o "with them the instruction ends", stall_weights_o "a beat could be taken, none is there",
        stall_drain_o "the drain keeps the next beat from being taken",
    }
    sizes! { m; GROUPS = d.groups, VL = d.vl, ENTRIES = d.entries, UNIT_BEATS = d.unit_beats }
    m.body(rtl!("mat/mat_control"));
    m.body(match d.unit_beats {
        1 => "  assign unit_last = 1'b1;",
        _ => rtl!("mat/mat_control_unit"),
    });
    m.body(rtl!("mat/mat_control_stages"));
    instance! { m, "u_w4", w4(d);
        start_i: start_w4, cols_i: next_cols_q, step_i: take_w4, tile_last_i: inner_last, gs_o: x_gs_o,
        pair_o: x_pair_o, needed_o: w4_needed, pop_o: w4_pop,
    }
    m.done()
}
