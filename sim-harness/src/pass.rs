//! One pass over the weights: the tokens that go in, what must happen, what came out.

use crate::lockstep::{ExpectedToken, Lockstep, Outcome, SatCounts};
use crate::timeline::OpSpan;
use rtl_gen::registers::{LOST, STALLS};
use serde::Serialize;

/// What to do with a token besides running it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenOptions {
    /// Stream the logits out and return them.
    pub logits: bool,
    /// Record when each instruction ran.
    pub timeline: bool,
}

/// The chip's counters of one token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    pub cycles: u64,
    pub sat_mat: u64,
    pub sat_vec: u64,
    pub sat_wkv: u64,
    pub weight_beats: u64,
    /// Columns of `ffn.value` that were not read.
    pub skipped_columns: u64,
    /// Cycles, in the order of `rtl_gen::registers::STALLS`.
    pub stalls: [u64; STALLS.len()],
    /// Cycles without a beat by cause, in the order of `rtl_gen::registers::LOST`.
    pub lost: [u64; LOST.len()],
}

/// One token, run.
#[derive(Debug, Clone, Default)]
pub struct TokenResult {
    pub token_out: u32,
    pub counters: Counters,
    /// The comparison; all zero if there was nothing to compare with.
    pub outcome: Outcome,
    /// Raw 27-bit logits if asked for.
    pub logits: Vec<i32>,
    /// Spans in the order they ended, if asked for.
    pub timeline: Vec<OpSpan>,
}

/// One pass over the weights: a token in each slot that is at work.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The token of each slot; `None` for a slot at rest. At least one slot has a token.
    pub tokens: Vec<Option<u32>>,
    /// All slots hold tokens of one text that follow each other, the first one in this slot, where the text lives.
    pub prefill: Option<usize>,
    /// Go on to the head; without it the pass ends when the state is updated.
    pub head: bool,
}

impl Pass {
    /// Bit s: slot s is at work.
    pub(crate) fn active(&self) -> u8 {
        self.tokens.iter().enumerate().fold(0, |mask, (slot, t)| mask | u8::from(t.is_some()) << slot)
    }
}

/// One pass, run.
#[derive(Debug, Clone, Default)]
pub struct PassResult {
    /// The token that came out of each slot, 0 where none did.
    pub tokens_out: Vec<u32>,
    pub counters: Counters,
    /// The comparison of all slots; all zero if there was nothing to compare with.
    pub outcome: Outcome,
    /// Raw 27-bit logits by slot, if asked for.
    pub logits: Vec<Vec<i32>>,
    /// Spans in the order they ended, if asked for.
    pub timeline: Vec<OpSpan>,
}

/// What the slots at work must show; no entries: nothing is compared.
#[derive(Clone, Copy)]
pub(crate) struct Awaited<'e> {
    pub slots: &'e [ExpectedToken],
    pub active: u8,
}

impl<'e> Awaited<'e> {
    pub const NOTHING: Awaited<'static> = Awaited { slots: &[], active: 0 };

    pub fn each(self) -> impl Iterator<Item = (usize, &'e ExpectedToken)> {
        self.slots.iter().enumerate().filter(move |(slot, _)| self.active >> slot & 1 == 1)
    }
}

/// The slots of a mask, lowest first.
#[inline(always)]
pub(crate) fn slots_in(mut mask: u8) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros() as usize;
        (mask != 0).then(|| {
            mask &= mask - 1;
            slot
        })
    })
}

pub(crate) fn all_slots(slots: usize) -> u8 {
    ((1u32 << slots) - 1) as u8
}

/// What came out of a pass, by slot.
pub(crate) struct Said<'s> {
    pub tokens_out: &'s [u32],
    /// Streamed logits and the number of the one marked last; looked at if the pass was asked for them.
    pub logits: Option<(&'s [Vec<i32>], Option<usize>)>,
    /// The pass went on to the head.
    pub head: bool,
}

/// Ends a pass: compares what it has once, or once a slot. Gives the outcome of all slots together.
pub(crate) fn compare_end(
    lockstep: &mut [Lockstep],
    awaited: Awaited,
    said: &Said,
    c: &Counters,
    cycle: u64,
) -> Outcome {
    let Some(first) = slots_in(awaited.active).next() else { return Outcome::default() };
    let sum = |of: fn(&SatCounts) -> u64| -> u64 { awaited.each().map(|(_, e)| of(&e.saturations)).sum() };
    for (what, want, got) in [
        ("saturations counted by mat", sum(|s| s.mat), c.sat_mat),
        ("saturations counted by vec", sum(|s| s.vec), c.sat_vec),
        ("saturations counted by wkv", sum(|s| s.wkv), c.sat_wkv),
    ] {
        lockstep[first].scalar(what, 0, want as i64, got as i64, cycle);
    }
    // every cycle has a name
    let named = c.weight_beats + c.lost.iter().sum::<u64>();
    lockstep[first].scalar("cycles by cause", 0, c.cycles as i64, named as i64, cycle);
    let columns = &awaited.slots[first].columns;
    if !columns.is_empty() {
        let want: u64 = columns.iter().map(|c| c.skipped).sum();
        lockstep[first].scalar("columns skipped", 0, want as i64, c.skipped_columns as i64, cycle);
    }
    let mut outcome = Outcome::default();
    for (slot, e) in awaited.each() {
        let l = &mut lockstep[slot];
        if said.head {
            l.scalar("token out", 0, e.token_out.into(), said.tokens_out[slot].into(), cycle);
        }
        if let (Some((logits, last)), false) = (said.logits, e.logits.is_empty()) {
            let got = &logits[slot];
            l.scalar("number of logits", 0, e.logits.len() as i64, got.len() as i64, cycle);
            let last = last.map_or(-1, |at| at as i64);
            l.scalar("logit with tlast", 0, e.logits.len() as i64 - 1, last, cycle);
            for (i, (want, got)) in e.logits.iter().zip(got).enumerate() {
                l.scalar("logit", i, (*want).into(), (*got).into(), cycle);
            }
        }
        outcome.add(l.finish(e, cycle));
    }
    outcome
}
