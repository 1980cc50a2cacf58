//! The scales of the rows on their way through the matrix unit.

use crate::blocks::mat::dims::Dims;
use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;

/// Queue of scale units (64 B, 32 scales), written by beats and read by rows.
pub(in crate::blocks) fn scales(d: &Dims) -> Arc<Module> {
    let per_beat = d.groups * MAT_LANES * 8 / SCALE_BITS;
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
    ports! { m;
        push_i, push_data_i[SCALE_BITS * per_beat] "16-bit scales, first row lowest", row_i, row_last_i,
        scale_o["anser_pkg::SCALE_BITS"] "exponent 4 bits, multiplier 12 bits",
    }
    sizes! { m; BEAT_SCALES = per_beat, UNIT_BEATS = d.unit_beats, DEPTH = depth }
    m.body(rtl!("mat/mat_scales"));
    instance! { m, "u_mem", ram_1w1r(SCALE_BITS * per_beat, depth);
        we_i: push_i, waddr_i: waddr_q, wdata_i: push_data_i, re_i: word_start, raddr_i: raddr_q, rdata_o: word,
    }
    m.done()
}
