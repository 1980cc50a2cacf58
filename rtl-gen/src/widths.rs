//! Widths that units, compiler and hosts share and that no configuration changes.

/// Bits of a token number.
pub const TOKEN_BITS: usize = 18;
/// Bits of a word address: vmem, xmem and the operands of wkv.
pub const WORD_ADDR_BITS: usize = 14;
/// Bits of the address of one element of vmem.
pub const ELEMENT_ADDR_BITS: usize = 18;
/// Bits that number the 32-bit words of one instruction; the widest, vec, has 7.
pub const LANE_BITS: usize = 3;
/// Bits of an instruction's index, of a done count and of every `wait_*` field.
pub const COUNT_BITS: usize = 12;
/// Bits of the shift of a rounding.
pub const SHIFT_BITS: usize = 6;
/// Bits of the number of an operand of wkv (`isa::wkv_slot`).
pub const WKV_SLOT_BITS: usize = 3;
/// Bits of the number of a column.
pub const COLUMN_BITS: usize = 14;
/// Columns of the longest run; a run also ends at multiples of it.
pub const RUN_COLUMNS: usize = 16;
/// Bits of the number of columns of a run.
pub const RUN_BITS: usize = 5;
/// Bits that an element of a session's state takes in external memory.
pub const MEMORY_ELEMENT_BITS: usize = 32;
/// Bytes of the unit in which lengths and addresses of the stream count, and that each block of it is padded to.
pub const UNIT_BYTES: usize = golden_model::image::UNIT;
/// Byte lanes of a group, and bytes of a group of the weight stream: one for each row of a tile.
pub const MAT_LANES: usize = 16;
/// Bits of a row's scale in the stream.
pub const SCALE_BITS: usize = 16;
/// Bits of the multiplier in a scale; the exponent is above it.
pub const SCALE_M_BITS: usize = 12;
/// Scales of a unit of the stream.
pub const SCALE_UNIT_ROWS: usize = UNIT_BYTES / 2;
/// Bits of `shift - xexp`, signed.
pub const LOAD_SHIFT_BITS: usize = 7;
/// Bits of the number of rows in a hand-over, which is at most 64.
pub const LOAD_ROWS_BITS: usize = 7;

/// Bits needed to hold the values `0..n`; at least 1.
pub fn index_bits(n: usize) -> usize {
    (usize::BITS - n.saturating_sub(1).leading_zeros()).max(1) as usize
}
