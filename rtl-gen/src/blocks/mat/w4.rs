//! Where the scales of the column groups of 4-bit weights lie in the beats, and which operand a nibble meets (`golden_model::image::nibble_tiles`).

use crate::blocks::mat::dims::Dims;
use crate::blocks::prelude::*;

/// Walks the 16-byte groups of a W4 tile, a beat a step.
pub(in crate::blocks) fn w4(d: &Dims) -> Arc<Module> {
    let mut m = Module::new(
        "mat_w4",
        format!(
            "Sequencer of the 4-bit format: what each of the {} groups of the next beat is. 32 columns are 17 groups, gs first, so gs\n\
             moves through the beat. Every other group has two columns: pair_o is their place in the window, which is the operand word\n\
             used last (pairs 0 to {}) and the oldest word of the queue (the next {}). A word goes (pop_o) as soon as the next beat may\n\
             need columns of the word behind it. Groups that fill up a tile count on: their weights are 0, what they meet does not matter.\n\
             Latency: outputs are those of the coming beat, from registers; step_i takes it. start_i goes before step_i.",
            d.groups,
            d.vl / 2 - 1,
            d.vl / 2
        ),
    );
    ports! { m;
        start_i "an instruction of this format begins",
        cols_i["anser_pkg::MAT_COLS_BITS"] "its columns, a multiple of 32", step_i "a beat of weights is taken",
        tile_last_i "it is the tile's last", gs_o[d.groups] "one-hot or 0: the group that holds gs",
        pair_o[d.groups * d.vl_bits()] "a group each: its columns in the window, in pairs",
        needed_o "an operand word of this pass is still to be used", pop_o "with step_i: it goes",
    }
    m.sizes(&[("GROUPS", d.groups), ("VL", d.vl)]).body(rtl!("mat/mat_w4"));
    m.done()
}
