//! Finds the columns of a matrix of nibbles, for all kernels.

#[cfg(target_arch = "x86_64")]
use super::COLUMNS_AHEAD;

/// A column's place, and that of its nibbles.
#[derive(Clone, Copy, Debug)]
pub(super) struct NibbleColumns<'a> {
    /// from the first column on
    pub bytes: &'a [u8],
    pub stride: usize,
    /// from a column's start to its nibbles
    pub gs_bytes: usize,
    /// 128 rows each, from this one on
    pub first_line: usize,
}

impl NibbleColumns<'_> {
    pub fn column(&self, c: u16) -> &[u8] {
        &self.bytes[usize::from(c) * self.stride..][..self.stride]
    }
}

/// `p` with bytes l, m and h as they are multiplied: each digit signed, the next one higher if it is negative.
#[inline(always)]
pub(super) fn digits(p: i32) -> i32 {
    (p + 0x8080) ^ 0x8080
}

/// Where four columns from the i-th of `used` on start, and the four that are asked for meanwhile; the last one stands in for those that are not there.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn four(w: &NibbleColumns<'_>, used: &[u16], i: usize) -> [[*const u8; 4]; 2] {
    let column = |i: usize| w.bytes.as_ptr().wrapping_add(usize::from(used[i.min(used.len() - 1)]) * w.stride);
    [0, COLUMNS_AHEAD].map(|ahead| std::array::from_fn(|k| column(i + ahead + k)))
}
