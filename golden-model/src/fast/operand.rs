//! Vectors as the matrix kernels and the recurrence take them: 16-bit mantissas with one exponent.
#![deny(clippy::float_arithmetic)]

use super::element::round;
use super::isa::versions;
use crate::arithmetic::fixed::OPERAND_BITS;

/// Mantissas of a vector and its exponent: the vector is `q · 2^e`.
#[derive(Clone, Debug, Default)]
pub struct Mantissas {
    pub q: Vec<i16>,
    pub e: i32,
}

impl Mantissas {
    pub fn new(n: usize) -> Self {
        Self { q: vec![0; n], e: 0 }
    }
}

versions! {
    /// `clip_16(round(v, s))` with `s = max(0, L − 15)`, L the significant bits of the OR of all `v ^ (v >> 31)`.
    pub fn take(v: &[i32], out: &mut Mantissas) {
        mantissas(v, out);
    }
}

/// [`take`] for use inside other functions compiled for an instruction set.
#[inline(always)]
pub fn mantissas(v: &[i32], out: &mut Mantissas) {
    let amax = v.iter().fold(0u32, |m, v| m | (v ^ (v >> 31)) as u32);
    let e = (32 - amax.leading_zeros()).saturating_sub(15);
    out.e = e as i32;
    for (q, v) in out.q.iter_mut().zip(v) {
        // 27 bits and half of 2^12 fit 32
        *q = round(*v, e).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
    }
}

/// The mantissas of [`crate::arithmetic::vector_ops::operand_of`] in place of those of 16 bits, whose exponent is kept. Only studies come here.
#[cold]
#[inline(never)]
fn narrow(v: &[i32], bits: u32, out: &mut Mantissas) {
    let amax = v.iter().fold(0u32, |m, v| m | (v ^ (v >> 31)) as u32);
    let narrower = (32 - amax.leading_zeros()).saturating_sub(bits - 1) - out.e as u32;
    let max = (1 << (bits - 1)) - 1;
    for (q, v) in out.q.iter_mut().zip(v) {
        *q = (round(*v, out.e as u32 + narrower).clamp(-max - 1, max) << narrower) as i16;
    }
}

/// A matrix operand, with its mantissas cut into bytes the way the kernels multiply them; padded to 32 columns with zeros.
#[derive(Clone, Debug, Default)]
pub struct Operand {
    n: usize,
    /// bits of a mantissa that [`Operand::set`] makes
    bits: u32,
    m: Mantissas,
    /// low bytes, unsigned
    lo: Vec<u8>,
    /// high bytes plus 128, unsigned
    hi: Vec<u8>,
    /// low bytes, unsigned, and high bytes, signed, in 16 bits each
    lo16: Vec<i16>,
    hi16: Vec<i16>,
    /// for 4-bit weights, see [`Nibbles`]; padded to 32 columns
    nibbles: Vec<Nibbles>,
    /// −8 · Σ of the high bytes, signed, of 32 columns
    eighths: Vec<i32>,
}

/// Bytes of 8 elements in the order in which 8 nibbles of a row come out of the stream: each word has elements 0 4 2 6 (`even`) or 1 5 3 7
/// (`odd`), the first in its lowest byte; high bytes signed, low bytes unsigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Nibbles {
    pub hi_even: u32,
    pub hi_odd: u32,
    pub lo_even: u32,
    pub lo_odd: u32,
}

impl Nibbles {
    /// From bytes 0 to 7, the first lowest.
    #[inline(always)]
    fn new(hi: u64, lo: u64) -> Self {
        let every_other = |b: u64| {
            let b = b & 0x00ff_00ff_00ff_00ff;
            (b | b >> 24) as u32
        };
        Self {
            hi_even: every_other(hi),
            hi_odd: every_other(hi >> 8),
            lo_even: every_other(lo),
            lo_odd: every_other(lo >> 8),
        }
    }
}

impl Operand {
    /// Zeros in place of `n` elements.
    pub fn new(n: usize) -> Self {
        Self::with_bits(n, OPERAND_BITS)
    }

    /// Zeros in place of `n` elements whose mantissas will have `bits` bits, 4..=16.
    pub fn with_bits(n: usize, bits: u32) -> Self {
        let padded = n.next_multiple_of(32);
        Self {
            n,
            bits,
            m: Mantissas::new(padded),
            lo: vec![0; padded],
            hi: vec![128; padded],
            lo16: vec![0; padded],
            hi16: vec![0; padded],
            nibbles: vec![Nibbles::default(); padded / 8],
            eighths: vec![0; padded / 32],
        }
    }

    /// An operand with exponent 0 and these mantissas.
    pub fn from_mantissas(q: &[i16]) -> Self {
        let mut x = Self::new(q.len());
        x.gather(q.len(), |i| q[i]);
        x
    }

    /// Becomes `v`, which has the length given to [`Operand::new`].
    #[inline(always)]
    pub fn set(&mut self, v: &[i32]) {
        mantissas(&v[..self.n], &mut self.m);
        if self.bits < OPERAND_BITS {
            narrow(&v[..self.n], self.bits, &mut self.m);
        }
        self.cut();
    }

    /// Becomes `q(0), q(1), … q(n − 1)` and zeros after it; n at most the length given to [`Operand::new`].
    pub fn gather(&mut self, n: usize, q: impl Fn(usize) -> i16) {
        for (i, m) in self.m.q.iter_mut().enumerate() {
            *m = if i < n { q(i) } else { 0 };
        }
        self.cut();
    }

    #[inline(always)]
    fn cut(&mut self) {
        let padded = self.m.q.len();
        let (q, lo, hi) = (&self.m.q[..padded], &mut self.lo[..padded], &mut self.hi[..padded]);
        let (lo16, hi16) = (&mut self.lo16[..padded], &mut self.hi16[..padded]);
        for i in 0..padded {
            lo[i] = q[i] as u8;
            hi[i] = ((q[i] >> 8) as u8) ^ 0x80;
            lo16[i] = q[i] & 0xff;
            hi16[i] = q[i] >> 8;
        }
        for (out, (hi, lo)) in self.nibbles.iter_mut().zip(hi.chunks_exact(8).zip(lo.chunks_exact(8))) {
            let word = |b: &[u8]| u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
            *out = Nibbles::new(word(hi) ^ 0x8080_8080_8080_8080, word(lo));
        }
        for (out, hi16) in self.eighths.iter_mut().zip(hi16.chunks_exact(32)) {
            *out = -8 * i32::from(hi16.iter().sum::<i16>());
        }
    }

    pub fn e(&self) -> i32 {
        self.m.e
    }

    pub fn mantissas(&self) -> &[i16] {
        &self.m.q[..self.n]
    }

    /// Mantissas and the zeros after them.
    pub fn padded(&self) -> &[i16] {
        &self.m.q
    }

    pub fn padded_len(&self) -> usize {
        self.m.q.len()
    }

    pub fn lo(&self) -> &[u8] {
        &self.lo
    }

    pub fn hi(&self) -> &[u8] {
        &self.hi
    }

    pub fn lo16(&self) -> &[i16] {
        &self.lo16
    }

    pub fn hi16(&self) -> &[i16] {
        &self.hi16
    }

    pub fn nibbles(&self) -> &[Nibbles] {
        &self.nibbles
    }

    pub fn eighths(&self) -> &[i32] {
        &self.eighths
    }
}
