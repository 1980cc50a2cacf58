//! The writer of the state over the simulated memory, which checks the AXI rules: where every word must lie is worked out here from
//! `docs/hardware.md` §7 and §8 as the words are taken, and so is how they are cut into bursts.

#![allow(dead_code)] // every test file compiles it for itself and uses some of it

use crate::bursts::{holds, longest, set_slots};
use rand::{Rng, RngCore};
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use sim_harness::axi_memory::{AxiMemory, MemoryTiming, ReadAddress};
use sim_harness::axi_write::WriteBeat;
use sim_harness::dut::{Dut, Port};
use std::collections::VecDeque;

/// Bits of an element of a session vector.
const VEC_BITS: usize = 27;

/// Words that come one after the other from one side: one instruction of wkv or of vec.
#[derive(Clone, Debug)]
pub struct Piece {
    /// A session vector; otherwise words of the recurrence.
    pub vector: bool,
    /// Whose each word is. A session vector is of one slot.
    pub slots: Vec<usize>,
}

/// One token: its constants, what is written in it, and how fast.
pub struct Run {
    pub place: String,
    /// Byte address of each slot's state.
    pub bases: Vec<u64>,
    /// A bit a slot: its state is written.
    pub written: u64,
    /// Vector words are on offer while words of the recurrence come, as no program has them. For one session: of several, an offer that
    /// must wait ends the burst of another slot, or not, with what room there is.
    pub both: bool,
    /// Probabilities of a word, and of an error response.
    pub p_word: f64,
    pub p_error: f64,
    pub timing: MemoryTiming,
}

#[derive(Default)]
pub struct Outcome {
    pub cycles: u64,
    pub errors: u64,
    /// Bursts without response.
    pub most_open: usize,
}

/// Where words go, in the order in which they are taken.
struct Places {
    beat: u64,
    longest: u64,
    written: u64,
    /// Address of the next word of each slot.
    next: Vec<u64>,
    /// What each slot's state holds so far.
    data: Vec<Vec<u8>>,
    /// Bursts `(address, beats)`; the last one may still grow.
    bursts: Vec<(u64, u64)>,
    /// Whose the last one is, while it may.
    open: Option<usize>,
    /// Words that are written.
    words: u64,
}

impl Places {
    /// A word that is taken. A burst ends before a word of another slot and at a multiple of the longest one.
    fn word(&mut self, vector: bool, slot: usize, elements: &[i32]) {
        if vector && self.written >> slot & 1 == 0 {
            return; // goes nowhere
        }
        match self.open {
            Some(s) if s == slot => self.bursts.last_mut().unwrap().1 += 1,
            _ => self.bursts.push((self.next[slot], 1)),
        }
        self.data[slot].extend(elements.iter().flat_map(|e| e.to_le_bytes()));
        self.next[slot] += self.beat;
        self.words += 1;
        self.open = (!(self.next[slot] / self.beat).is_multiple_of(self.longest)).then_some(slot);
    }

    /// The last word of an instruction was taken.
    fn end(&mut self) {
        self.open = None;
    }

    /// Bursts that may be asked for: those that do not grow any more.
    fn finished(&self) -> &[(u64, u64)] {
        &self.bursts[..self.bursts.len() - usize::from(self.open.is_some())]
    }
}

fn element(rng: &mut ChaCha8Rng, bits: usize) -> i32 {
    (rng.gen::<i32>() >> (32 - bits)) >> rng.gen_range(0..bits)
}

/// One of the two sides that bring words.
struct Side {
    vector: bool,
    valid: Port,
    ready: Port,
    data: Port,
    slot: Option<Port>,
    /// Bits of an element, and of its lane.
    bits: usize,
    lane: usize,
    pieces: VecDeque<Piece>,
    /// Words of the first piece that were taken.
    taken: usize,
    word: Option<Vec<i32>>,
}

impl Side {
    fn slot(&self) -> usize {
        self.pieces[0].slots[self.taken]
    }

    fn last(&self) -> bool {
        self.pieces.front().is_some_and(|p| self.taken + 1 == p.slots.len())
    }
}

/// Writes `pieces`, in order unless [`Run::both`], until the writer says that all is in memory.
///
/// # Errors
/// The first thing that is not as expected: a burst, a rule of AXI, a byte in memory, `idle_o` or `error_o`.
pub fn run(dut: &mut Dut, config: &Config, pieces: &[Piece], r: &Run, rng: &mut ChaCha8Rng) -> Result<Outcome, String> {
    let port = |n: &str| dut.port(n).unwrap();
    let [start, idle, error] = ["start_i", "idle_o", "error_o"].map(port);
    let [flush, last] = ["r_flush_i", "v_last_i"].map(port);
    let axi = |list: &[&str]| list.iter().map(|n| port(&format!("m_axi_{n}"))).collect::<Vec<Port>>();
    let aw = axi(&["awaddr_o", "awlen_o", "awsize_o", "awburst_o", "awvalid_o", "awready_i"]);
    let w = axi(&["wdata_o", "wstrb_o", "wlast_o", "wvalid_o", "wready_i"]);
    let b = axi(&["bresp_i", "bvalid_i", "bready_o"]);
    let (vl, n) = (config.vlanes(), config.sessions);
    let side = |vector: bool| {
        let name = if vector { "v" } else { "r" };
        let of = |what: &str| port(&format!("{name}_{what}"));
        Side {
            vector,
            valid: of("valid_i"),
            ready: of("ready_o"),
            data: of("data_i"),
            slot: (n > 1).then(|| of("slot_i")),
            bits: if vector { VEC_BITS } else { config.numbers.state_bits },
            lane: if vector { VEC_BITS } else { config.stored_bits() },
            pieces: pieces.iter().filter(|p| p.vector == vector).cloned().collect(),
            taken: 0,
            word: None,
        }
    };
    let mut sides = [side(false), side(true)];
    let mut order: VecDeque<bool> = pieces.iter().map(|p| p.vector).collect();

    // memory holds anything before, and a little more than what is written
    let mut memory = AxiMemory::new(&[], 0, r.timing.clone());
    let mut before = vec![vec![]; n];
    for slot in (0..n).filter(|s| r.written >> s & 1 == 1) {
        let words: usize = pieces.iter().map(|p| p.slots.iter().filter(|s| **s == slot).count()).sum();
        before[slot] = vec![0; (words * config.beat_bytes()).next_multiple_of(64) + 64];
        rng.fill_bytes(&mut before[slot]);
        memory.add_region(r.bases[slot], before[slot].len());
        memory.region_mut(r.bases[slot]).unwrap().copy_from_slice(&before[slot]);
    }
    let units: Vec<_> = r.bases.iter().map(|base| base >> 6).collect();
    let slots = dut.port("slots_i").ok();
    set_slots(dut, "base_i", config.axi_addr_bits - 6, &units);
    slots.into_iter().for_each(|p| dut.set(p, r.written));
    dut.set(start, 1);
    dut.tick();
    dut.set(start, 0);
    let mut places = Places {
        beat: config.beat_bytes() as u64,
        longest: longest(config),
        written: r.written,
        next: r.bases.clone(),
        data: vec![vec![]; n],
        bursts: vec![],
        open: None,
        words: 0,
    };
    let total: usize = pieces.iter().map(|p| p.slots.len()).sum();
    let limit = 20_000 + 400 * total as u64;
    let (mut flush_in, mut asked, mut answered, mut in_burst, mut resp) = (None, 0, 0, false, 0);
    let mut out = Outcome::default();
    for cycle in 0..limit {
        let place = format!("{} cycle {cycle}", r.place);
        // the next piece begins when all of the last one is handed over, as the program's waits ensure
        for side in &mut sides {
            let turn = order.front() == Some(&side.vector) && flush_in.is_none();
            let turn = if r.both { side.vector || flush_in.is_none() } else { turn };
            if side.word.is_none() && !side.pieces.is_empty() && turn && rng.gen_bool(r.p_word) {
                side.word = Some((0..vl).map(|_| element(rng, side.bits)).collect());
            }
            dut.set(side.valid, u64::from(side.word.is_some()));
            // what is not valid is anything
            let slot = if side.word.is_some() { side.slot() } else { rng.gen_range(0..n) };
            side.slot.into_iter().for_each(|p| dut.set(p, slot as u64));
            match &side.word {
                Some(word) => dut.set_lanes(side.data, side.lane, word),
                None => dut.set_lanes(side.data, side.lane, &vec![element(rng, side.bits); vl]),
            }
        }
        dut.set(last, u64::from(if sides[1].word.is_some() { sides[1].last() } else { rng.gen() }));
        dut.set(flush, u64::from(flush_in == Some(0)));
        let _ = memory.drive();
        let slave = memory.drive_write();
        if !slave.bvalid || dut.get(b[1]) == 0 {
            resp = if rng.gen_bool(r.p_error) { rng.gen_range(2..4) } else { rng.gen_range(0..2) };
        }
        dut.set(aw[5], slave.awready.into());
        dut.set(w[4], slave.wready.into());
        dut.set(b[1], slave.bvalid.into());
        dut.set(b[0], resp);
        dut.clock_low().unwrap();

        let address = (dut.get(aw[4]) == 1).then(|| ReadAddress {
            addr: dut.get(aw[0]),
            len: dut.get(aw[1]) as u8,
            size: dut.get(aw[2]) as u8,
            burst: dut.get(aw[3]) as u8,
        });
        if let Some(a) = address {
            // it is among those whose data are all in the writer
            let (got, want) = ((a.addr, u64::from(a.len) + 1), places.finished().get(asked));
            holds!(place, want == Some(&got), "burst {asked}: {got:x?}, expected {want:x?}");
            out.most_open = out.most_open.max(asked + 1 - answered);
            holds!(place, out.most_open <= config.max_outstanding, "{} bursts without response", out.most_open);
            asked += usize::from(slave.awready);
        }
        let lanes = if dut.get(w[3]) == 1 { 0..vl } else { 0..0 };
        let data: Vec<u8> = lanes.flat_map(|l| dut.lane(w[0], l, 32).to_le_bytes()).collect();
        let beat =
            (!data.is_empty()).then(|| WriteBeat { data: &data, strobes: dut.get(w[1]), last: dut.get(w[2]) == 1 });
        holds!(place, beat.is_some() || !in_burst, "the data of a burst pause");
        in_burst = beat.is_some_and(|beat| !(beat.last && slave.wready));
        let answer = slave.bvalid && dut.get(b[2]) == 1;
        holds!(place, (dut.get(error) == 1) == (answer && resp >= 2), "error_o");
        out.errors += u64::from(answer && resp >= 2);
        answered += usize::from(answer);
        memory.sample_write(address, beat, dut.get(b[2]) == 1).map_err(|e| format!("{place}: {e}"))?;
        memory.sample(None, false).map_err(|e| format!("{place}: {e}"))?;
        let is_idle = dut.get(idle) == 1;
        if is_idle {
            holds!(place, sides.iter().all(|s| s.word.is_none()), "idle, and a word is on offer");
            for (slot, written) in places.data.iter().enumerate().filter(|(_, d)| !d.is_empty()) {
                let there = memory.region(r.bases[slot]).unwrap();
                holds!(place, there[..written.len()] == *written, "idle, and not all of slot {slot} is in memory");
            }
        }
        let ready = |side: &Side| side.word.is_some() && dut.get(side.ready) == 1;
        let taken = [ready(&sides[0]), ready(&sides[1])];
        holds!(place, sides[0].word.is_none() || !taken[1], "a vector's word goes before one of the recurrence");
        dut.clock_high().unwrap();
        let pulse = flush_in == Some(0);
        flush_in = flush_in.and_then(|n: u32| n.checked_sub(1));
        let mut end = pulse;
        for (side, _) in sides.iter_mut().zip(taken).filter(|(_, taken)| *taken) {
            places.word(side.vector, side.slot(), &side.word.take().unwrap());
            match side.last() {
                false => side.taken += 1,
                true => {
                    side.pieces.pop_front();
                    side.taken = 0;
                    order.pop_front();
                    end |= side.vector;
                    if !side.vector {
                        flush_in = Some(rng.gen_range(0..4));
                    }
                }
            }
        }
        if end {
            places.end();
        }
        let handed_over = order.is_empty() && flush_in.is_none();
        if is_idle && handed_over && !pulse && taken == [false; 2] {
            dut.set(flush, 0);
            holds!(place, asked == places.bursts.len(), "{asked} bursts, expected {}", places.bursts.len());
            holds!(place, memory.stats().write_beats == places.words, "not one beat a word");
            for slot in (0..n).filter(|s| r.written >> s & 1 == 1) {
                before[slot][..places.data[slot].len()].copy_from_slice(&places.data[slot]);
                holds!(place, memory.region(r.bases[slot]) == Some(&before[slot]), "slot {slot}: what lies in memory");
            }
            out.cycles = cycle;
            return Ok(out);
        }
    }
    Err(format!("{}: never idle, {} of {total} words written", r.place, places.words))
}
