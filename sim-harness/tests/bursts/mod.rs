//! What `docs/hardware.md` says about bursts, for the benches of the two units that make them, and how their random inputs are given.

#![allow(dead_code)] // every test file compiles it for itself and uses some of it

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use sim_harness::dut::Dut;

/// An error that says where, unless the condition holds.
macro_rules! holds {
    ($place:expr, $cond:expr, $($what:tt)+) => {
        if !$cond {
            return Err(format!("{}: {}", $place, format_args!($($what)+)));
        }
    };
}
pub(crate) use holds;

/// Beats of the longest burst: `max_burst_beats`, and what a page of 4 KiB holds, rounded down to a power of two.
pub fn longest(config: &Config) -> u64 {
    let limit = (config.max_burst_beats as u64).min(4096 / config.beat_bytes() as u64);
    (0..).map(|n| 1 << n).take_while(|n| *n <= limit).last().unwrap_or(1)
}

/// Bursts `(byte address, beats)` of a stretch of memory that is read or written at once: each ends at a multiple of the longest one.
pub fn cut(config: &Config, addr: u64, bytes: u64) -> Vec<(u64, u64)> {
    let (beat, most) = (config.beat_bytes() as u64, longest(config));
    let (mut at, end) = (addr / beat, (addr + bytes) / beat);
    let mut bursts = vec![];
    while at < end {
        let to = ((at / most + 1) * most).min(end);
        bursts.push((at * beat, to - at));
        at = to;
    }
    bursts
}

/// Drives `name`, one number of `bits` bits for each slot, slot 0 lowest.
pub fn set_slots(dut: &mut Dut, name: &str, bits: usize, values: &[u64]) {
    let mut words = vec![0u32; (bits * values.len()).div_ceil(32)];
    for (s, value) in values.iter().enumerate() {
        for bit in (0..bits).filter(|b| value >> b & 1 == 1) {
            let at = s * bits + bit;
            words[at / 32] |= 1 << (at % 32);
        }
    }
    let port = dut.port(name).unwrap();
    match words.len() {
        1 | 2 => dut.set(port, words.iter().rev().fold(0, |v, w| v << 32 | u64::from(*w))),
        _ => dut.set_wide(port, &words),
    }
}

/// The slots whose state a pass reads and writes (§8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtWork {
    /// These decode, each its own text; a bit a slot.
    Decode(u64),
    /// All read one prompt side by side, that of this slot.
    Prompt { home: usize },
}

impl AtWork {
    /// Any, for `n` slots; one session alone always works.
    pub fn random(rng: &mut ChaCha8Rng, n: usize) -> Self {
        match n > 1 && rng.gen_bool(0.3) {
            true => AtWork::Prompt { home: rng.gen_range(0..n) },
            false => AtWork::Decode(rng.gen_range(1..1 << n)),
        }
    }

    /// A bit a slot.
    pub fn mask(&self) -> u64 {
        match self {
            AtWork::Decode(active) => *active,
            AtWork::Prompt { home } => 1 << home,
        }
    }

    pub fn has(&self, slot: usize) -> bool {
        self.mask() >> slot & 1 == 1
    }

    /// From the lowest on.
    pub fn slots(&self) -> Vec<usize> {
        (0..64).filter(|s| self.has(*s)).collect()
    }
}

/// Where the states of `n` slots lie, each of `units` units of 64 B: apart, in any order, with or without a gap. The base of a slot that
/// is not at work is that of another one, or one where nothing lies.
pub fn state_bases(rng: &mut ChaCha8Rng, n: usize, at_work: AtWork, units: u64) -> Vec<u64> {
    let mut order = at_work.slots();
    (1..order.len()).for_each(|i| order.swap(i, rng.gen_range(0..=i)));
    let mut at = (0x3_0000_0000 >> 6) + rng.gen_range(0..200);
    let mut bases = vec![None; n];
    for slot in order {
        bases[slot] = Some(at);
        at += units + rng.gen_range(0..3) * rng.gen_range(0..70);
    }
    let home = bases[at_work.slots()[0]].unwrap();
    let idle = |rng: &mut ChaCha8Rng| if rng.gen() { home } else { (0xc_0000_0000 >> 6) + rng.gen_range(0..5000) };
    bases.into_iter().map(|base| base.unwrap_or_else(|| idle(rng))).collect()
}
