//! Interval arithmetic over the spans of a record.
//!
//! All intervals are half open, in cycles since the start pulse. The question behind everything here: in which cycles did
//! the matrix unit, which the whole design tries to keep fed, have nothing to do, and whose work was it waiting for?

use records::latency::{LatencyRecord, OpSpan, Unit};

/// `[start, end)`, cycles.
pub type Interval = (u64, u64);

/// The union as sorted, disjoint, non-empty intervals; touching ones are joined.
pub fn union(intervals: impl IntoIterator<Item = Interval>) -> Vec<Interval> {
    let mut sorted: Vec<Interval> = intervals.into_iter().filter(|(start, end)| start < end).collect();
    sorted.sort_unstable();
    let mut joined: Vec<Interval> = vec![];
    for (start, end) in sorted {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

/// Cycles of disjoint intervals.
pub fn length(intervals: &[Interval]) -> u64 {
    intervals.iter().map(|(start, end)| end - start).sum()
}

/// Cycles in which at least one of `ops` runs.
pub fn busy<'a>(ops: impl IntoIterator<Item = &'a OpSpan>) -> u64 {
    length(&union(ops.into_iter().map(|op| (op.start_cycle, op.end_cycle))))
}

/// A stretch of the token without any matrix instruction. Op numbers index [`LatencyRecord::ops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub start: u64,
    pub end: u64,
    /// The matrix instruction that ends the gap; none after the last one.
    pub next_mat: Option<usize>,
    /// The op the matrix unit waited for: of the vec and wkv ops that end inside the gap, up to the very cycle in which the
    /// next matrix instruction starts, the one that ends last. None if no op ends there: then the gap is no wait for
    /// a result but the hand-over from one instruction to the next.
    pub waits_for: Option<usize>,
}

impl Gap {
    pub fn cycles(&self) -> u64 {
        self.end - self.start
    }
}

/// All gaps of the matrix unit, from the start pulse to the end of the token, in order.
pub fn mat_gaps(record: &LatencyRecord) -> Vec<Gap> {
    let ops = &record.ops;
    let mat = union(ops.iter().filter(|op| op.unit == Unit::Mat).map(|op| (op.start_cycle, op.end_cycle)));
    let mut gaps = vec![];
    let mut from = 0;
    for (start, end) in mat.iter().copied().chain([(record.cycles_per_token, record.cycles_per_token)]) {
        if from < start {
            gaps.push(Gap {
                start: from,
                end: start,
                next_mat: starts_at(ops, start),
                waits_for: ends_last(ops, from, start),
            });
        }
        from = end;
    }
    gaps
}

fn starts_at(ops: &[OpSpan], cycle: u64) -> Option<usize> {
    ops.iter().position(|op| op.unit == Unit::Mat && op.start_cycle == cycle && op.end_cycle > cycle)
}

fn ends_last(ops: &[OpSpan], after: u64, until: u64) -> Option<usize> {
    (0..ops.len())
        .filter(|&i| {
            matches!(ops[i].unit, Unit::Vec | Unit::Wkv) && ops[i].end_cycle > after && ops[i].end_cycle <= until
        })
        .max_by_key(|&i| (ops[i].end_cycle, ops[i].start_cycle, ops[i].unit))
}

/// A stretch of the token and the one op it is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub start: u64,
    pub end: u64,
    /// The matrix op that ran; in a gap, the vec or wkv op that ran meanwhile; none where nothing ran.
    pub op: Option<usize>,
    /// Whether the piece lies in a gap of the matrix unit.
    pub exposed: bool,
}

impl Piece {
    pub fn cycles(&self) -> u64 {
        self.end - self.start
    }
}

/// Cuts the token into pieces that cover it exactly once: every cycle is charged to one op or to none.
///
/// Where several ops that could be charged overlap, the one that started first is: its result is awaited first.
pub fn partition(record: &LatencyRecord, gaps: &[Gap]) -> Vec<Piece> {
    let ops = &record.ops;
    let sorted = |wanted: fn(Unit) -> bool| {
        let mut v: Vec<usize> = (0..ops.len()).filter(|&i| wanted(ops[i].unit)).collect();
        v.sort_by_key(|&i| (ops[i].start_cycle, ops[i].unit, ops[i].index));
        v
    };
    let mat = sorted(|u| u == Unit::Mat);
    let others = sorted(|u| matches!(u, Unit::Vec | Unit::Wkv));
    let mut pieces = vec![];
    let mut from = 0;
    for gap in gaps {
        charge(&mut pieces, ops, &mat, (from, gap.start), false);
        charge(&mut pieces, ops, &others, (gap.start, gap.end), true);
        from = gap.end;
    }
    charge(&mut pieces, ops, &mat, (from, record.cycles_per_token), false);
    pieces
}

/// Charges each cycle of `window` to the earliest-starting op of `candidates` (sorted by start) that covers it.
fn charge(pieces: &mut Vec<Piece>, ops: &[OpSpan], candidates: &[usize], window: Interval, exposed: bool) {
    let (mut cursor, end) = window;
    let mut push = |start, end, op| {
        if start < end {
            pieces.push(Piece { start, end, op, exposed });
        }
    };
    for &i in candidates {
        let op = &ops[i];
        if op.start_cycle >= end {
            break;
        }
        if op.end_cycle <= cursor || op.start_cycle == op.end_cycle {
            continue;
        }
        push(cursor, op.start_cycle, None);
        let stop = op.end_cycle.min(end);
        push(cursor.max(op.start_cycle), stop, Some(i));
        cursor = stop;
    }
    push(cursor, end, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn union_joins_overlapping_and_touching() {
        let joined = union([(10, 20), (0, 5), (5, 7), (15, 30), (40, 40)]);
        assert_eq!(joined, [(0, 7), (10, 30)]);
        assert_eq!(length(&joined), 27);
    }

    #[test]
    fn charge_gives_each_cycle_to_the_first_that_started() {
        let op = |start_cycle, end_cycle| OpSpan {
            unit: Unit::Vec,
            index: 0,
            layer: None,
            name: String::new(),
            start_cycle,
            end_cycle,
            weight_bytes: 0,
        };
        let ops = [op(0, 4), op(2, 10), op(3, 6), op(12, 20)];
        let mut pieces = vec![];
        charge(&mut pieces, &ops, &[0, 1, 2, 3], (1, 15), true);
        let got: Vec<_> = pieces.iter().map(|p| (p.start, p.end, p.op)).collect();
        assert_eq!(got, [(1, 4, Some(0)), (4, 10, Some(1)), (10, 12, None), (12, 15, Some(3))]);
    }
}
