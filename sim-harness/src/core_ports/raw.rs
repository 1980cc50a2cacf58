//! One port as raw storage: loads, stores, and slices of wide ones.

use super::MAX_LANES;
use crate::dut::Storage;
use crate::lockstep::Lanes;

/// One port's storage.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    pub ptr: *mut u8,
    pub storage: Storage,
    pub bits: usize,
}

impl Raw {
    /// Narrow ports only (up to 64 bits); of a wider one the low 64 bits are read.
    #[inline(always)]
    pub fn get(self) -> u64 {
        // SAFETY: `ptr` is live storage of this kind: CorePorts is owned beside its Dut and made from it.
        unsafe {
            match self.storage {
                Storage::U8 => u64::from(*self.ptr),
                Storage::U16 => u64::from(*self.ptr.cast::<u16>()),
                Storage::U32 => u64::from(*self.ptr.cast::<u32>()),
                Storage::U64 => *self.ptr.cast::<u64>(),
                Storage::Words(_) => {
                    u64::from(*self.ptr.cast::<u32>()) | u64::from(*self.ptr.cast::<u32>().add(1)) << 32
                }
            }
        }
    }

    /// A 1- to 8-bit port.
    #[inline(always)]
    pub fn byte(self) -> u8 {
        // SAFETY: as in `get`; the low byte comes first in every storage (little-endian).
        unsafe { *self.ptr }
    }

    #[inline(always)]
    pub fn flag(self) -> bool {
        self.byte() != 0
    }

    #[inline(always)]
    pub fn set_byte(self, value: u8) {
        // SAFETY: as in `byte`.
        unsafe { *self.ptr = value }
    }

    pub fn set(self, value: u64) {
        let value = value & (u64::MAX >> (64 - self.bits.min(64)));
        // SAFETY: as in `get`.
        unsafe {
            match self.storage {
                Storage::U8 => *self.ptr = value as u8,
                Storage::U16 => *self.ptr.cast::<u16>() = value as u16,
                Storage::U32 => *self.ptr.cast::<u32>() = value as u32,
                Storage::U64 => *self.ptr.cast::<u64>() = value,
                Storage::Words(_) => {
                    *self.ptr.cast::<u32>() = value as u32;
                    *self.ptr.cast::<u32>().add(1) = (value >> 32) as u32;
                }
            }
        }
    }
}

/// `bits` (1 to 32) bits of a port from bit `at` on, sign-extended.
#[inline(always)]
pub(super) fn part(data: Raw, at: usize, bits: usize) -> i32 {
    let unused = 32 - bits as u32;
    let two = match data.storage {
        Storage::Words(n) => {
            let (words, i) = (data.ptr.cast::<u32>(), at / 32);
            // SAFETY: the storage holds n words, and the port has the bits asked for, so i is below n.
            unsafe {
                let high = if i + 1 < n { *words.add(i + 1) } else { 0 };
                (u64::from(*words.add(i)) | u64::from(high) << 32) >> (at % 32)
            }
        }
        _ => data.get() >> at,
    };
    ((two as u32) << unused) as i32 >> unused
}

/// Cuts the part of `slot` out of a packed port, into sign-extended lanes.
#[inline(always)]
pub(super) fn unpack(data: Raw, slot: usize, lanes: Lanes, values: &mut [i32; MAX_LANES]) {
    let mut at = slot * lanes.n * lanes.bits;
    for value in &mut values[..lanes.n] {
        *value = part(data, at, lanes.bits);
        at += lanes.bits;
    }
}
