//! Seeded coin flips for stalls.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A source of coin flips that come up true with a fixed probability; the same seed gives the same flips everywhere.
/// If the probability is 0, no random number is drawn, so a run without stalls costs nothing.
#[derive(Debug, Clone)]
pub struct Chance {
    rng: ChaCha8Rng,
    threshold: u64,
}

impl Chance {
    /// `p` is clipped to 0..=1. `stream` keeps several sources of one seed independent.
    pub fn new(seed: u64, stream: u64, p: f64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Chance { rng, threshold: (p.clamp(0.0, 1.0) * 4_294_967_296.0) as u64 }
    }

    /// Whether any flip can come up true.
    #[inline(always)]
    pub fn active(&self) -> bool {
        self.threshold != 0
    }

    #[inline(always)]
    pub fn flip(&mut self) -> bool {
        self.active() && u64::from(self.rng.next_u32()) < self.threshold
    }

    /// Eight flips, one a bit.
    #[inline]
    pub fn flip8(&mut self) -> u8 {
        (0..8).fold(0, |bits, i| bits | u8::from(self.flip()) << i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probability_and_seed_are_kept() {
        let mut never = Chance::new(1, 0, 0.0);
        let mut always = Chance::new(1, 0, 1.0);
        let mut some = Chance::new(1, 0, 0.25);
        assert!((0..1000).all(|_| !never.flip() && always.flip()));
        let hits = (0..10_000).filter(|_| some.flip()).count();
        assert!((2300..2700).contains(&hits), "{hits} of 10000");
        let flips = |stream| Chance { ..Chance::new(9, stream, 0.5) }.flip8();
        assert_eq!(flips(3), flips(3));
    }
}
