//! When each instruction ran: one span an instruction, for the latency report.

use crate::lockstep::{Unit, UNITS};
use serde::Serialize;

/// One instruction of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OpSpan {
    /// Unit number in the order of [`UNITS`].
    pub unit: usize,
    /// Instruction index in the unit's program.
    pub op: usize,
    /// Cycle its unit took it, counted from the first instruction of the token.
    pub start: u64,
    /// Cycle its last result was written.
    pub end: u64,
}

/// Counts instruction starts and ends, and keeps their cycles when asked to.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    keep: bool,
    origin: Option<u64>,
    started: [usize; 4],
    finished: [usize; 4],
    starts: [Vec<u64>; 4],
    spans: Vec<OpSpan>,
}

impl Timeline {
    /// Forgets everything; keeps cycles from now on if `keep`.
    pub fn restart(&mut self, keep: bool) {
        *self = Timeline { keep, ..Timeline::default() };
    }

    /// Bits of the units (in the order of [`UNITS`]) that took and that finished an instruction in `cycle`.
    #[inline]
    pub fn record(&mut self, starts: u8, dones: u8, cycle: u64) {
        let origin = *self.origin.get_or_insert(cycle);
        for u in 0..UNITS.len() {
            if starts >> u & 1 == 1 {
                self.started[u] += 1;
                if self.keep {
                    self.starts[u].push(cycle - origin);
                }
            }
            if dones >> u & 1 == 1 {
                let op = self.finished[u];
                self.finished[u] += 1;
                if let (true, Some(&start)) = (self.keep, self.starts[u].get(op)) {
                    self.spans.push(OpSpan { unit: u, op, start, end: cycle - origin });
                }
            }
        }
    }

    /// The finished instructions in the order they finished.
    pub fn take(&mut self) -> Vec<OpSpan> {
        std::mem::take(&mut self.spans)
    }

    /// `(instructions taken, instructions finished)` of a unit in this token.
    pub fn counts(&self, unit: Unit) -> (usize, usize) {
        (self.started[unit as usize], self.finished[unit as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_instructions_of_a_unit_end_in_order() {
        let mut t = Timeline::default();
        t.restart(true);
        t.record(0b0100, 0, 50);
        t.record(0b0110, 0, 53); // vec takes a second one before the first is done
        t.record(0, 0b0100, 60);
        t.record(0, 0b0110, 61);
        let span = |unit, op, start, end| OpSpan { unit, op, start, end };
        assert_eq!(t.take(), [span(2, 0, 0, 10), span(1, 0, 3, 11), span(2, 1, 3, 11)]);
        assert_eq!((t.counts(Unit::Vec), t.counts(Unit::Dma)), ((2, 2), (0, 0)));
    }
}
