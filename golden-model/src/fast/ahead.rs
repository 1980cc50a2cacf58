//! Weights that are needed soon: threads that wait, and work that does not need the memory, ask for them.
//!
//! Between two matrices there is work on vectors, on one thread and from caches, and at the end of a matrix a thread waits for the others. The
//! memory would stand still meanwhile. A prefetch changes nothing a program can see, so nobody has to agree on who asks for what.

use super::kernels::prefetch;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes asked for before a thread looks for work again: 1 KiB takes some tens of nanoseconds.
const PIECE: usize = 1 << 10;

/// A run of bytes, of which threads take pieces.
#[derive(Debug, Default)]
pub struct Ahead {
    /// addresses
    next: AtomicUsize,
    end: AtomicUsize,
}

impl Ahead {
    /// `bytes` are needed next; those of them that were asked for already are not asked for again.
    pub fn set(&self, bytes: &[u8]) {
        let range = bytes.as_ptr_range();
        let (start, end) = (range.start.addr(), range.end.addr());
        // whoever takes a piece meanwhile asks for something useless at worst
        if !(start..=end).contains(&self.next.load(Ordering::Relaxed)) {
            self.next.store(start, Ordering::Relaxed);
        }
        self.end.store(end, Ordering::Relaxed);
    }

    /// Asks for a piece, if there is one.
    pub fn look(&self) {
        if self.next.load(Ordering::Relaxed) >= self.end.load(Ordering::Relaxed) {
            return;
        }
        let at = self.next.fetch_add(PIECE, Ordering::Relaxed);
        (at..at + PIECE).step_by(64).for_each(|line| prefetch(std::ptr::without_provenance(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_not_asked_for_again() {
        let bytes = vec![0u8; 8 * PIECE];
        let (ahead, start) = (Ahead::default(), bytes.as_ptr().addr());
        let asked = || ahead.next.load(Ordering::Relaxed).wrapping_sub(start) / PIECE;
        ahead.look(); // nothing to ask for
        ahead.set(&bytes[..2 * PIECE]);
        (0..5).for_each(|_| ahead.look());
        assert_eq!(asked(), 2);
        ahead.set(&bytes[PIECE..4 * PIECE]);
        (0..5).for_each(|_| ahead.look());
        assert_eq!(asked(), 4);
        ahead.set(&bytes[6 * PIECE..]);
        ahead.look();
        assert_eq!(asked(), 7);
        ahead.set(&bytes[..PIECE]);
        assert_eq!(asked(), 0);
    }
}
