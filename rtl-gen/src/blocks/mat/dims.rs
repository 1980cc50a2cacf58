//! Sizes of the matrix unit that follow from the configuration.

use crate::blocks::prelude::*;

/// Rows the output queue takes; more than the drain's pipeline holds, so that the drain runs at a row a cycle.
pub const OUT_ROWS: usize = 16;

/// Largest `cols` of an instruction: beyond it an accumulator could wrap.
pub fn max_cols(config: &Config) -> usize {
    config.limits.dim_ffn.max(config.limits.n_embd).next_power_of_two()
}

/// Largest `cols` of an instruction of format W4; only `ffn.value` is longer, and it has 8 bits.
pub fn max_w4_cols(config: &Config) -> usize {
    config.limits.n_embd.next_power_of_two().max(32)
}

/// Sizes that follow from the configuration.
pub(in crate::blocks) struct Dims {
    /// Groups of [`MAT_LANES`] byte lanes: 1, 2 or 4.
    pub groups: usize,
    /// Elements of an xmem word, 4 × groups.
    pub vl: usize,
    pub max_cols: usize,
    pub max_w4_cols: usize,
    /// Bits of a lane's sum of bytes times operands: a 24-bit product `max_cols` times.
    pub column_acc: usize,
    /// Bits of a lane's accumulator: as many, or a 28-bit product `max_w4_cols / 2` times.
    pub acc: usize,
    /// Bits of the sum of a row: 16-bit weights have 8 bits more than bytes.
    pub sum: usize,
    /// Partial sums a lane keeps for the column-wise format.
    pub entries: usize,
    /// Beats of a scale unit.
    pub unit_beats: usize,
    /// Scale units on their way: a column-wise matrix has all of its own in front, two more are from the matrix before.
    pub scale_units: usize,
}

impl Dims {
    pub fn new(config: &Config) -> Self {
        let groups = config.groups();
        let max_cols = max_cols(config);
        let max_w4_cols = max_w4_cols(config);
        let column_acc = OPERAND_BITS + 8 + max_cols.ilog2() as usize;
        Dims {
            groups,
            vl: config.vlanes(),
            max_cols,
            max_w4_cols,
            column_acc,
            acc: column_acc.max(OPERAND_BITS + 11 + max_w4_cols.ilog2() as usize),
            sum: column_acc + 8,
            // padding tiles have entries too; a memory has at least two words
            entries: (config.max_tiles().next_multiple_of(4) / groups).max(2),
            unit_beats: UNIT_BYTES / config.beat_bytes(),
            scale_units: (config.limits.n_embd + 64).div_ceil(SCALE_UNIT_ROWS),
        }
    }

    /// Bits of an element's index in an xmem word.
    pub fn vl_bits(&self) -> usize {
        self.vl.ilog2() as usize
    }
}
