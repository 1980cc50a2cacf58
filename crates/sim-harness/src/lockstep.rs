//! The comparison: every trace event of the chip against the list of events the golden model says must come.
//!
//! The caller turns the golden model's taps into one [`Stream`] for each trace group of `docs/hardware.md` §5: the
//! operations in order, each with its first event index and its values. [`Lockstep`] walks the streams with one
//! cursor a group; nothing is allocated while a token runs. A wrong value is counted and the walk goes on; after an
//! event of a wrong operation or place the group is lost for the rest of the token and its further events are not judged.

use crate::mismatch::{Fault, Mismatch, Place};
use std::sync::Arc;

/// The trace groups, in the order of the table in `docs/hardware.md` §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Vec,
    Sreg,
    Exp,
    Mat,
    WkvS,
    WkvSa,
    WkvY,
}

pub const GROUPS: [Group; 7] =
    [Group::Vec, Group::Sreg, Group::Exp, Group::Mat, Group::WkvS, Group::WkvSa, Group::WkvY];

impl Group {
    /// The unit whose instruction index the group's events carry.
    pub fn unit(self) -> Unit {
        match self {
            Group::Vec | Group::Sreg | Group::Exp => Unit::Vec,
            Group::Mat => Unit::Mat,
            Group::WkvS | Group::WkvSa | Group::WkvY => Unit::Wkv,
        }
    }

    /// Trace port prefix without `trace_`.
    pub fn name(self) -> &'static str {
        ["vec", "sreg", "exp", "mat", "wkv_s", "wkv_sa", "wkv_y"][self as usize]
    }
}

/// The units, numbered as the host's program-select register does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Dma,
    Mat,
    Vec,
    Wkv,
}

pub const UNITS: [Unit; 4] = [Unit::Dma, Unit::Mat, Unit::Vec, Unit::Wkv];

impl Unit {
    pub fn name(self) -> &'static str {
        ["dma", "mat", "vec", "wkv"][self as usize]
    }
}

/// What an instruction is called in messages and reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpName {
    pub layer: usize,
    /// Tap name of `docs/integer-step.md`.
    pub name: String,
    /// Kind of operation, for grouping in reports (`matrix`, `norm`, …).
    pub kind: String,
}

/// Names of every unit's instructions, indexed by [`Unit`] and instruction index.
#[derive(Debug, Clone, Default)]
pub struct OpNames(pub [Vec<OpName>; 4]);

impl OpNames {
    /// The name of an instruction, if the table has it.
    pub fn get(&self, unit: Unit, op: usize) -> Option<&OpName> {
        self.0[unit as usize].get(op)
    }
}

/// How many values an event of a group carries and how wide they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lanes {
    pub n: usize,
    /// Bits of one value in the trace port; 1 to 32.
    pub bits: usize,
}

/// The lanes of every group for a chip of `vlanes` and `state_bits`. A scalar event is (mean, mult, shift).
pub fn group_lanes(vlanes: usize, state_bits: usize) -> [Lanes; 7] {
    let lanes = |n, bits| Lanes { n, bits };
    [
        lanes(vlanes, 27),
        lanes(3, 27),
        lanes(1, 5),
        lanes(1, 27),
        lanes(vlanes, state_bits),
        lanes(1, state_bits),
        lanes(1, 27),
    ]
}

/// The lanes of every group for a chip of `config`.
pub fn lanes_of(config: &rtl_gen::config::Config) -> [Lanes; 7] {
    let mut lanes = group_lanes(config.vlanes(), config.numbers.state_bits);
    lanes[Group::WkvS as usize].n = config.wkv_lanes();
    lanes
}

/// One instruction's events in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ExpectedOp {
    op: u32,
    /// `word`, `row`, `addr` or `seg` of the first event; the following ones count up.
    first: u32,
    events: u32,
    /// Where the values start in the stream's flat array, `events` times lanes of them; `None`: not compared.
    start: Option<usize>,
    /// Values that are not padding of the last event.
    live: usize,
}

/// The events one group must produce in one token, in order.
#[derive(Debug, Clone)]
pub struct Stream {
    lanes: usize,
    ops: Vec<ExpectedOp>,
    values: Vec<i32>,
}

impl Stream {
    /// An empty stream of events of `lanes` values.
    pub fn new(lanes: usize) -> Self {
        Stream { lanes, ops: vec![], values: vec![] }
    }

    /// Appends the events of instruction `op`: the first one has index `first`. `values` are cut into events; the last
    /// event is padded with 0 (dead lanes).
    pub fn push(&mut self, op: usize, first: usize, values: impl IntoIterator<Item = i32>) {
        let start = self.values.len();
        self.values.extend(values);
        let live = self.values.len() - start;
        let events = live.div_ceil(self.lanes);
        self.values.resize(start + events * self.lanes, 0);
        self.append(ExpectedOp { op: op as u32, first: first as u32, events: events as u32, start: Some(start), live });
    }

    /// Appends `events` events of instruction `op` that must come, with values the golden model does not name (a pass
    /// that only reduces; its sum is compared as a scalar).
    pub fn push_unnamed(&mut self, op: usize, first: usize, events: usize) {
        self.append(ExpectedOp { op: op as u32, first: first as u32, events: events as u32, start: None, live: 0 });
    }

    fn append(&mut self, op: ExpectedOp) {
        if op.events > 0 {
            self.ops.push(op);
        }
    }

    /// The values of one event.
    #[inline(always)]
    fn want(&self, op: &ExpectedOp, event: u32) -> Option<&[i32]> {
        let at = op.start? + event as usize * self.lanes;
        Some(&self.values[at..at + self.lanes])
    }

    /// Forgets all events and keeps the memory, for the next token.
    pub fn clear(&mut self) {
        self.ops.clear();
        self.values.clear();
    }
}

/// Saturation counts of a token by unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SatCounts {
    pub mat: u64,
    pub vec: u64,
    pub wkv: u64,
}

/// Everything one token of one session must do.
#[derive(Debug, Clone)]
pub struct ExpectedToken {
    /// By [`Group`].
    pub streams: [Stream; 7],
    pub saturations: SatCounts,
    pub token_out: u32,
    /// Instructions that skip columns; their skipped columns are counted by the chip, too.
    pub columns: Vec<Columns>,
    /// Compared with the logits stream if the token was asked for logits; empty: not compared.
    pub logits: Vec<i32>,
}

/// What a mat instruction that skips columns reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// The instruction.
    pub op: usize,
    pub read: u64,
    /// Of the columns in memory, those that fill up included.
    pub skipped: u64,
}

impl ExpectedToken {
    /// A token without events.
    pub fn new(lanes: &[Lanes; 7]) -> Self {
        ExpectedToken {
            streams: lanes.map(|l| Stream::new(l.n)),
            saturations: SatCounts::default(),
            token_out: 0,
            columns: vec![],
            logits: vec![],
        }
    }

    pub fn stream(&mut self, group: Group) -> &mut Stream {
        &mut self.streams[group as usize]
    }

    /// Ready for the next token, memory kept.
    pub fn clear(&mut self) {
        self.streams.iter_mut().for_each(Stream::clear);
        self.saturations = SatCounts::default();
        self.columns.clear();
        self.logits.clear();
    }
}

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

    /// For slot `slot` of a chip with several sessions, which its messages then name.
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
                group: group.name(),
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
            let place = Place::Token { what, element };
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

    /// For a chip that hangs: what each group awaits next, e.g. `mat row 5 of att.k (layer 2)`.
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
