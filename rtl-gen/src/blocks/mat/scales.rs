//! The scales of the rows on their way through the matrix unit.

use crate::blocks::mat::dims::{Dims, LANES, SCALE_BITS, SCALE_UNIT_ROWS};
use crate::blocks::prim::ram_1w1r;
use crate::hdl::Module;
use std::sync::Arc;

/// Queue of scale units (64 B, 32 scales), written by beats and read by rows.
pub(in crate::blocks) fn scales(d: &Dims) -> Arc<Module> {
    let per_beat = d.groups * LANES * 8 / SCALE_BITS;
    let depth = d.scale_units * d.unit_beats;
    let mut m = Module::new(
        "mat_scales",
        format!(
            "Queue of {} units of {SCALE_UNIT_ROWS} scales; a unit is {} beats. It is written in beats (push_i) and read in rows: row_i asks for\n\
             the next scale, row_last_i with it drops the rest of its unit. A unit must be complete before its first row_i.\n\
             It cannot overflow, so it has no ready: a column-wise matrix brings n_embd / 32 units, and two more may still be in\n\
             use when they come, because sums are handed over only when four rows at most are left of the ones before.\n\
             Latency: scale_o two cycles after row_i.",
            d.scale_units, d.unit_beats
        ),
    );
    m.input("push_i", 1, "").input("push_data_i", SCALE_BITS * per_beat, "16-bit scales, first row lowest");
    m.input("row_i", 1, "").input("row_last_i", 1, "");
    m.output("scale_o", "anser_pkg::SCALE_BITS", "exponent 4 bits, multiplier 12 bits");
    m.sizes(&[("BEAT_SCALES", per_beat), ("UNIT_BEATS", d.unit_beats), ("DEPTH", depth)]);
    m.body(include_str!("../../../rtl/mat/mat_scales.sv"));
    m.instance(
        "u_mem",
        &ram_1w1r(SCALE_BITS * per_beat, depth),
        &[
            ("we_i", "push_i"),
            ("waddr_i", "waddr_q"),
            ("wdata_i", "push_data_i"),
            ("re_i", "word_start"),
            ("raddr_i", "raddr_q"),
            ("rdata_o", "word"),
        ],
    );
    m.done()
}
