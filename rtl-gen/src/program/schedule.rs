//! Orders the four units against each other.
//!
//! The compiler writes one sequential list of operations; each says which memory it reads and writes. From that list
//! come the wait counts between units and the `drain` flags inside the vector unit, so that any interleaving the
//! hardware chooses gives the result of the sequential list. Nobody writes a wait by hand.

use std::ops::Range;

/// The units in the order of `isa::FORMATS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    Dma,
    Mat,
    Vec,
    Wkv,
}

/// A memory of the chip. Ranges are in words of that memory (vmem, xmem), entries (sreg) or slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    Vmem,
    Xmem,
    Xexp,
    Operand,
    Sreg,
    Amax,
    /// The state in memory, which is written in one order.
    Store,
}

/// A piece of memory an operation touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub space: Space,
    pub words: Range<usize>,
}

impl Region {
    pub fn new(space: Space, start: usize, len: usize) -> Self {
        Region { space, words: start..start + len }
    }

    fn meets(&self, other: &Region) -> bool {
        self.space == other.space && self.words.start < other.words.end && other.words.start < self.words.end
    }
}

/// What one operation does to memory, and how many words it issues (vector unit only).
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    pub reads: Vec<Region>,
    pub writes: Vec<Region>,
    pub n_words: usize,
}

fn any_meets(a: &[Region], b: &[Region]) -> bool {
    a.iter().any(|x| b.iter().any(|y| x.meets(y)))
}

/// Waits of one operation: how many operations of each unit must have finished, and whether the vector pipeline drains first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub wait_mat: usize,
    pub wait_vec: usize,
    pub wait_wkv: usize,
    pub drain: bool,
}

/// Derives [`Order`] for operations handed over in sequential program order.
#[derive(Debug, Default)]
pub struct Scheduler {
    mat: Vec<Footprint>,
    vec: Vec<Footprint>,
    wkv: Vec<Footprint>,
    /// Cycles from reading a word to its result being readable, `blocks::vec::latency`.
    vec_latency: usize,
    /// For each vector operation, the waits it already implies, so that old conflicts are not searched again.
    waited: [[usize; 3]; 3],
}

impl Scheduler {
    pub fn new(vec_latency: usize) -> Self {
        Scheduler { vec_latency, ..Default::default() }
    }

    /// Number of operations of `unit` so far, which is the index the next one gets.
    pub fn len(&self, unit: Unit) -> usize {
        match unit {
            Unit::Mat => self.mat.len(),
            Unit::Vec => self.vec.len(),
            Unit::Wkv => self.wkv.len(),
            Unit::Dma => 0,
        }
    }

    /// Appends an operation and returns its order. An operation of a unit that cannot wait for another one although it
    /// conflicts with it (mat and wkv have no path to each other) is refused.
    pub fn push(&mut self, unit: Unit, footprint: Footprint) -> Result<Order, String> {
        let mut order = Order::default();
        let me = slot(unit);
        for (other, list) in [(Unit::Mat, &self.mat), (Unit::Vec, &self.vec), (Unit::Wkv, &self.wkv)] {
            if other == unit {
                continue;
            }
            let seen = self.waited[me][slot(other)];
            // The latest conflicting operation; everything before it in that unit has then finished too.
            let conflict = (seen..list.len()).rev().find(|&i| {
                any_meets(&footprint.reads, &list[i].writes)
                    || any_meets(&footprint.writes, &list[i].writes)
                    || any_meets(&footprint.writes, &list[i].reads)
            });
            let wait = conflict.map_or(seen, |i| i + 1);
            if conflict.is_some() && matches!((unit, other), (Unit::Mat, Unit::Wkv) | (Unit::Wkv, Unit::Mat)) {
                return Err(format!(
                    "{unit:?} operation {} conflicts with {other:?} operation {}",
                    self.len(unit),
                    wait - 1
                ));
            }
            self.waited[me][slot(other)] = wait;
            match other {
                Unit::Mat => order.wait_mat = wait,
                Unit::Vec => order.wait_vec = wait,
                Unit::Wkv => order.wait_wkv = wait,
                Unit::Dma => {}
            }
        }
        if unit == Unit::Vec {
            order.drain = self.needs_drain(&footprint);
        }
        match unit {
            Unit::Mat => self.mat.push(footprint),
            Unit::Vec => self.vec.push(footprint),
            Unit::Wkv => self.wkv.push(footprint),
            Unit::Dma => {}
        }
        Ok(order)
    }

    /// Words leave the vector pipeline in the order they entered, so only reads of words that are still inside are
    /// dangerous. A read of word i of a region that the earlier operation wrote in the same order comes at least as many
    /// words later as were issued since that word.
    fn needs_drain(&self, footprint: &Footprint) -> bool {
        if footprint.reads.iter().any(|r| matches!(r.space, Space::Sreg | Space::Amax)) {
            return true;
        }
        let mut issued = 0;
        for earlier in self.vec.iter().rev() {
            if issued >= self.vec_latency {
                return false;
            }
            for w in &earlier.writes {
                for r in &footprint.reads {
                    let aligned = w.words.start == r.words.start && earlier.n_words + issued >= self.vec_latency;
                    if r.meets(w) && !aligned {
                        return true;
                    }
                }
            }
            issued += earlier.n_words;
        }
        false
    }
}

fn slot(unit: Unit) -> usize {
    match unit {
        Unit::Mat => 0,
        Unit::Vec => 1,
        Unit::Wkv => 2,
        Unit::Dma => unreachable!("dma operations are ordered by their fifos"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(reads: &[(Space, usize, usize)], writes: &[(Space, usize, usize)], n_words: usize) -> Footprint {
        let regions = |list: &[(Space, usize, usize)]| list.iter().map(|&(s, a, n)| Region::new(s, a, n)).collect();
        Footprint { reads: regions(reads), writes: regions(writes), n_words }
    }

    #[test]
    fn a_reader_waits_for_the_writer_in_another_unit() {
        let mut s = Scheduler::new(10);
        s.push(Unit::Vec, op(&[], &[(Space::Xmem, 0, 4)], 4)).unwrap();
        s.push(Unit::Vec, op(&[], &[(Space::Xmem, 8, 4)], 4)).unwrap();
        let m = s.push(Unit::Mat, op(&[(Space::Xmem, 0, 4)], &[(Space::Vmem, 0, 4)], 0)).unwrap();
        assert_eq!(m.wait_vec, 1);
        let v = s.push(Unit::Vec, op(&[(Space::Vmem, 3, 1)], &[(Space::Vmem, 9, 1)], 1)).unwrap();
        assert_eq!(v.wait_mat, 1);
    }

    #[test]
    fn overwriting_what_another_unit_still_reads_waits_too() {
        let mut s = Scheduler::new(10);
        s.push(Unit::Mat, op(&[(Space::Xmem, 0, 4)], &[(Space::Vmem, 0, 4)], 0)).unwrap();
        let v = s.push(Unit::Vec, op(&[], &[(Space::Xmem, 2, 1)], 1)).unwrap();
        assert_eq!(v.wait_mat, 1);
    }

    #[test]
    fn drain_only_where_a_word_could_be_read_too_early() {
        let mut s = Scheduler::new(10);
        s.push(Unit::Vec, op(&[], &[(Space::Vmem, 0, 32)], 32)).unwrap();
        let long = s.push(Unit::Vec, op(&[(Space::Vmem, 0, 32)], &[(Space::Vmem, 32, 32)], 32)).unwrap();
        assert!(!long.drain, "32 words later than written");
        s.push(Unit::Vec, op(&[], &[(Space::Vmem, 64, 4)], 4)).unwrap();
        let short = s.push(Unit::Vec, op(&[(Space::Vmem, 64, 4)], &[(Space::Vmem, 70, 4)], 4)).unwrap();
        assert!(short.drain, "4 words later only");
        let crossed = s.push(Unit::Vec, op(&[(Space::Vmem, 71, 2)], &[(Space::Vmem, 80, 2)], 2)).unwrap();
        assert!(crossed.drain);
        let scalar = s.push(Unit::Vec, op(&[(Space::Sreg, 0, 1)], &[], 64)).unwrap();
        assert!(scalar.drain);
    }

    #[test]
    fn mat_and_wkv_cannot_wait_for_each_other() {
        let mut s = Scheduler::new(10);
        s.push(Unit::Wkv, op(&[], &[(Space::Vmem, 0, 4)], 0)).unwrap();
        assert!(s.push(Unit::Mat, op(&[], &[(Space::Vmem, 0, 4)], 0)).is_err());
    }
}
