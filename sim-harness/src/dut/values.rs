//! Values of a design's ports, of any width.

use super::{Dut, Port, Storage};

impl Dut {
    /// Writes an input. Bits above the port's width are dropped, so a negative number may be given as `x as u64`.
    /// A port wider than 64 bits gets the value zero-extended.
    #[inline]
    pub fn set(&mut self, port: Port, value: u64) {
        let p = &self.ports[port.0];
        // SAFETY: `ptr` points to storage of the kind `storage` says, alive with the model.
        unsafe {
            match p.storage {
                Storage::U8 => *p.ptr = (value & p.mask()) as u8,
                Storage::U16 => *p.ptr.cast::<u16>() = (value & p.mask()) as u16,
                Storage::U32 => *p.ptr.cast::<u32>() = (value & p.mask()) as u32,
                Storage::U64 => *p.ptr.cast::<u64>() = value & p.mask(),
                Storage::Words(n) => {
                    let words = std::slice::from_raw_parts_mut(p.ptr.cast::<u32>(), n);
                    words.fill(0);
                    words[0] = value as u32;
                    words[1] = (value >> 32) as u32;
                }
            }
        }
    }

    /// The port's value, zero-extended; the low 64 bits of a wider port.
    #[inline]
    pub fn get(&self, port: Port) -> u64 {
        let p = &self.ports[port.0];
        // SAFETY: as in `set`.
        unsafe {
            match p.storage {
                Storage::U8 => u64::from(*p.ptr),
                Storage::U16 => u64::from(*p.ptr.cast::<u16>()),
                Storage::U32 => u64::from(*p.ptr.cast::<u32>()),
                Storage::U64 => *p.ptr.cast::<u64>(),
                Storage::Words(_) => {
                    let w = p.ptr.cast::<u32>();
                    u64::from(*w) | u64::from(*w.add(1)) << 32
                }
            }
        }
    }

    /// The port's value as a two's-complement number of the port's width (at most 64 bits).
    #[inline]
    pub fn get_signed(&self, port: Port) -> i64 {
        let unused = 64 - self.ports[port.0].bits.min(64) as u32;
        ((self.get(port) << unused) as i64) >> unused
    }

    /// Writes an input of any width from 32-bit words, least significant first. Missing words are 0, bits above the
    /// port's width are dropped.
    pub fn set_wide(&mut self, port: Port, words: &[u32]) {
        let p = &self.ports[port.0];
        let word = |i: usize| words.get(i).copied().unwrap_or(0);
        match p.storage {
            Storage::Words(n) => {
                let last = p.mask() as u32;
                // SAFETY: as in `set`.
                let storage = unsafe { std::slice::from_raw_parts_mut(p.ptr.cast::<u32>(), n) };
                for (i, s) in storage.iter_mut().enumerate() {
                    *s = word(i);
                }
                storage[n - 1] &= last;
            }
            _ => self.set(port, u64::from(word(0)) | u64::from(word(1)) << 32),
        }
    }

    /// Reads a port of any width into 32-bit words, least significant first; words beyond the port become 0.
    pub fn get_wide(&self, port: Port, words: &mut [u32]) {
        let p = &self.ports[port.0];
        for (i, w) in words.iter_mut().enumerate() {
            *w = match p.storage {
                // SAFETY: as in `set`; i is within the storage.
                Storage::Words(n) if i < n => unsafe { *p.ptr.cast::<u32>().add(i) },
                Storage::Words(_) => 0,
                _ if i < 2 => (self.get(port) >> (32 * i)) as u32,
                _ => 0,
            };
        }
    }

    /// Lane `lane` of a port that packs numbers of `bits` (1 to 32) bits, sign-extended: `port[lane * bits +: bits]`.
    pub fn lane(&self, port: Port, lane: usize, bits: usize) -> i32 {
        let p = &self.ports[port.0];
        let at = lane * bits;
        assert!(
            (1..=32).contains(&bits) && at + bits <= p.bits,
            "{}.{}: no lane {lane} of {bits} bits",
            self.top,
            p.name
        );
        let mut two = [0u32; 2];
        match p.storage {
            Storage::Words(n) => {
                for (k, w) in two.iter_mut().enumerate().take(n - at / 32) {
                    // SAFETY: as in `set`; the index is below n.
                    *w = unsafe { *p.ptr.cast::<u32>().add(at / 32 + k) };
                }
            }
            _ => {
                let v = self.get(port) >> (at / 32 * 32);
                two = [v as u32, (v >> 32) as u32];
            }
        }
        let v = (u64::from(two[0]) | u64::from(two[1]) << 32) >> (at % 32);
        ((v as u32) << (32 - bits)) as i32 >> (32 - bits)
    }

    /// Packs `values` as lanes of `bits` (1 to 32) bits and writes them; higher lanes become 0.
    pub fn set_lanes(&mut self, port: Port, bits: usize, values: &[i32]) {
        let mut words = vec![0u32; (values.len() * bits).div_ceil(32) + 1];
        for (lane, &v) in values.iter().enumerate() {
            let at = lane * bits;
            let v = u64::from(v as u32 & (u32::MAX >> (32 - bits))) << (at % 32);
            words[at / 32] |= v as u32;
            words[at / 32 + 1] |= (v >> 32) as u32;
        }
        self.set_wide(port, &words);
    }
}
