//! The comparison: every trace event of the chip against the list of events the golden model says must come.
//!
//! The caller turns the golden model's taps into one [`Stream`] for each trace group of `docs/hardware.md` §5: the
//! operations in order, each with its first event index and its values. [`Lockstep`] walks the streams with one
//! cursor a group; nothing is allocated while a token runs. A wrong value is counted and the walk goes on; after an
//! event of a wrong operation or place the group is lost for the rest of the token and its further events are not judged.

use records::mismatch::{Fault, Mismatch, Place};
use std::sync::Arc;

mod expected;
use expected::ExpectedOp;
pub use expected::{
    group_lanes, lanes_of, Columns, ExpectedToken, Group, Lanes, OpName, OpNames, SatCounts, Stream, Unit, GROUPS,
    UNITS,
};

/// What the comparison of one token, or of many, found.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub values_checked: u64,
    /// (Instruction, trace group) pairs compared to their end.
    pub ops_checked: u64,
    pub mismatches: u64,
    /// The earliest one.
    pub first: Option<Mismatch>,
}

impl Outcome {
    /// Adds a later token's outcome.
    pub fn add(&mut self, later: Outcome) {
        self.values_checked += later.values_checked;
        self.ops_checked += later.ops_checked;
        self.mismatches += later.mismatches;
        if self.first.is_none() {
            self.first = later.first;
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    /// Awaited operation of the stream, and its awaited event.
    op: usize,
    event: u32,
    lost: bool,
}

impl Cursor {
    #[inline(always)]
    fn advance(&mut self, op: &ExpectedOp, outcome: &mut Outcome) {
        self.event += 1;
        if self.event == op.events {
            self.event = 0;
            self.op += 1;
            outcome.ops_checked += 1;
            outcome.values_checked += op.live as u64;
        }
    }
}

/// Compares the events of one token after another.
#[derive(Debug)]
pub struct Lockstep {
    names: Arc<OpNames>,
    slot: Option<usize>,
    token: u64,
    cursors: [Cursor; 7],
    outcome: Outcome,
}

impl Lockstep {
    pub fn new(names: Arc<OpNames>) -> Self {
        Lockstep { names, slot: None, token: 0, cursors: Default::default(), outcome: Outcome::default() }
    }

    /// Compares slot `slot` of a chip with several sessions, which messages then name.
    pub fn of_slot(names: Arc<OpNames>, slot: usize) -> Self {
        Lockstep { slot: Some(slot), ..Self::new(names) }
    }

    /// Starts token number `token` (only for messages).
    pub fn start(&mut self, token: u64) {
        self.token = token;
        self.cursors = Default::default();
        self.outcome = Outcome::default();
    }

    /// One event of `group`: instruction, index of the event, its values (as many as the stream's lanes).
    #[inline]
    pub fn event(&mut self, expected: &ExpectedToken, group: Group, op: u32, index: u32, got: &[i32], cycle: u64) {
        let stream = &expected.streams[group as usize];
        let cursor = &mut self.cursors[group as usize];
        if let Some(e) = stream.ops.get(cursor.op) {
            let same = || stream.want(e, cursor.event).is_none_or(|want| want == got);
            if op == e.op && index == e.first + cursor.event && !cursor.lost && same() {
                cursor.advance(e, &mut self.outcome);
                return;
            }
        }
        self.odd_event(expected, group, op, index, got, cycle);
    }

    /// An event that is not exactly the one awaited.
    #[cold]
    fn odd_event(&mut self, expected: &ExpectedToken, group: Group, op: u32, index: u32, got: &[i32], cycle: u64) {
        let stream = &expected.streams[group as usize];
        let cursor = &mut self.cursors[group as usize];
        if cursor.lost {
            return;
        }
        let lanes = stream.lanes;
        let Some(e) = stream.ops.get(cursor.op) else {
            cursor.lost = true;
            let place = self.place(group, op, index as usize * lanes);
            return self.report(Mismatch {
                fault: Fault::Extra,
                expected: None,
                got: Some(got[0].into()),
                cycle,
                ..place
            });
        };
        let event = cursor.event;
        let first = event as usize * lanes;
        if op != e.op || index != e.first + event {
            cursor.lost = true;
            let fault = match op == e.op {
                true => Fault::Index { got: index, expected: e.first + event },
                false => Fault::Op { got: op },
            };
            let place = self.place(group, e.op, first);
            return self.report(Mismatch { fault, expected: None, got: Some(got[0].into()), cycle, ..place });
        }
        // The right event with wrong values: count each, go on.
        cursor.advance(e, &mut self.outcome);
        let want = stream.want(e, event).unwrap_or_default();
        for (lane, (want, got)) in want.iter().zip(got).enumerate().filter(|(_, (w, g))| w != g) {
            let place = self.place(group, op, first + lane);
            self.report(Mismatch {
                fault: Fault::Value,
                expected: Some((*want).into()),
                got: Some((*got).into()),
                cycle,
                ..place
            });
        }
    }

    fn place(&self, group: Group, op: u32, element: usize) -> Mismatch {
        let name = self.names.get(group.unit(), op as usize);
        Mismatch {
            token: self.token,
            slot: self.slot,
            place: Place::Op {
                group: group.name().into(),
                op: op as usize,
                layer: name.map_or(0, |n| n.layer),
                name: name.map_or_else(|| "(unnamed)".into(), |n| n.name.clone()),
                kind: name.map_or_else(String::new, |n| n.kind.clone()),
                element,
            },
            fault: Fault::Value,
            expected: None,
            got: None,
            cycle: 0,
        }
    }

    fn report(&mut self, mismatch: Mismatch) {
        self.outcome.mismatches += 1;
        self.outcome.first.get_or_insert(mismatch);
    }

    /// Whether every expected event has come.
    pub fn complete(&self, expected: &ExpectedToken) -> bool {
        self.cursors.iter().zip(&expected.streams).all(|(c, s)| c.op == s.ops.len())
    }

    /// Mismatches so far in this token.
    pub fn mismatches(&self) -> u64 {
        self.outcome.mismatches
    }

    /// Compares something that the token has once: saturation counts, the token itself, a logit.
    pub fn scalar(&mut self, what: &'static str, element: usize, expected: i64, got: i64, cycle: u64) {
        self.outcome.values_checked += 1;
        if expected != got {
            let place = Place::Token { what: what.into(), element };
            let m = Mismatch {
                token: self.token,
                slot: self.slot,
                place,
                fault: Fault::Value,
                expected: Some(expected),
                got: Some(got),
                cycle,
            };
            self.report(m);
        }
    }

    /// What was found since the start, for a comparison without events.
    pub fn take(&mut self) -> Outcome {
        std::mem::take(&mut self.outcome)
    }

    /// Ends the token: what has not come is missing. Gives the token's outcome.
    pub fn finish(&mut self, expected: &ExpectedToken, cycle: u64) -> Outcome {
        for group in GROUPS {
            let (cursor, stream) = (self.cursors[group as usize], &expected.streams[group as usize]);
            if cursor.lost {
                continue; // reported when it was lost
            }
            if let Some(e) = stream.ops.get(cursor.op) {
                let place = self.place(group, e.op, cursor.event as usize * stream.lanes);
                let want = stream.want(e, cursor.event).map(|want| want[0].into());
                self.report(Mismatch { fault: Fault::Missing, expected: want, got: None, cycle, ..place });
            }
        }
        std::mem::take(&mut self.outcome)
    }

    /// Returns what each group of a chip that hangs awaits next, e.g. `mat row 5 of att.k (layer 2)`.
    pub fn awaited(&self, expected: &ExpectedToken) -> Vec<String> {
        let awaits = |group: &Group| {
            let (cursor, stream) = (self.cursors[*group as usize], &expected.streams[*group as usize]);
            let e = stream.ops.get(cursor.op)?;
            let name = self.names.get(group.unit(), e.op as usize);
            let name = name.map_or_else(String::new, |n| format!(" {} (layer {})", n.name, n.layer));
            Some(format!("{} event {} of op {}{name}", group.name(), cursor.event, e.op))
        };
        GROUPS.iter().filter_map(awaits).collect()
    }
}

#[cfg(test)]
#[path = "lockstep_tests.rs"]
mod tests;
