//! The scales of the column groups of 4-bit weights.

use crate::blocks::mat::dims::Dims;
use crate::blocks::prelude::*;

/// Hands every group the scales of its columns.
pub(in crate::blocks) fn gs(d: &Dims) -> Arc<Module> {
    let mut m = Module::new(
        "mat_gs",
        "Scales of the column groups of the 4-bit format, 16 rows of 8 bits: groups of a beat before the one with new scales use\n\
         the old ones, those after it the new ones; with no new ones in the beat all use the old ones.\n\
         Latency: sel_i with en_a_i; gs_o is combinational in the cycle after, when w_i holds the beat, and en_b_i ends that cycle.\n\
         What a group that holds scales is given itself is of no use: its operands are 0.",
    );
    ports! { m;
        en_a_i, sel_i[d.groups] "one-hot or 0: this group of the beat is scales", en_b_i,
        w_i[8 * MAT_LANES * d.groups] "the beat, registered", gs_o[8 * MAT_LANES * d.groups] "unsigned, 16 a group",
    }
    m.sizes(&[("GROUPS", d.groups)]).body(rtl!("mat/mat_gs"));
    m.done()
}
