//! Cycles of one token from the program alone: the four units and the stream, an instruction or a few beats at a time.
//!
//! The programs, waits and stream are the chip's own, compiled for the shape; lengths and latencies are those the blocks document
//! (`rtl_gen::blocks`). What is left out: the fill levels of the short queues between units, and the banks and rows of the memory, of which
//! only bandwidth, refresh and latency are taken.

use records::explore::Cycles;
use rtl_gen::blocks::{dma, vec, vec::lane as vec_lane, vec::reduce as vec_reduce, vec::scalar as vec_scalar, wkv};
use rtl_gen::config::Config;
use rtl_gen::isa::{acc_sel, dest, dma_kind, lut, mat_dest, mat_fmt, post, Format, DMA, MAT, VEC, WKV};
use rtl_gen::program::Program;

/// Cycles from a done pulse to the first cycle of an instruction of mat or wkv that waited for it; vec decides one cycle ahead.
const HAND_OVER: f64 = 2.0;
const HAND_OVER_VEC: f64 = 3.0;
/// Cycles from an accepted mat instruction to its first beat, and from a tile's last beat to its first row. The header of `mat` says them;
/// the done pulse is counted in.
const MAT_ACCEPT: f64 = 2.0;
const MAT_DRAIN: f64 = 11.0;
/// Cycles from the start to the first read address and from there to what the memory calls latency, and from the last done to the register.
const START: f64 = 10.0;
const END: f64 = 4.0;

/// Beats a cycle and cycles to the first beat of the configuration's memory.
fn memory(config: &Config) -> (f64, f64) {
    let m = &config.memory;
    let beat = config.beat_bytes() as f64;
    match &m.ddr4 {
        None => {
            let pause = match m.refresh_cycles {
                0 => 0.0,
                n => f64::from(n) / f64::from(m.refresh_interval_cycles),
            };
            ((m.bytes_per_cycle / beat).min(1.0) * (1.0 - pause), f64::from(m.latency_cycles))
        }
        Some(d) => {
            let clock = f64::from(config.clock_mhz) / 1000.0; // cycles a ns
            let peak = f64::from(d.data_bits) / 8.0 * f64::from(d.mega_transfers) / f64::from(config.clock_mhz);
            // after a refresh a row must be opened and the first data come
            let pause = (d.trfc_ns + d.trp_ns + d.trcd_ns + d.cl_ns) / d.trefi_ns;
            let refreshed = peak * (1.0 - pause) / beat;
            (refreshed.min(1.0), (d.trcd_ns + d.cl_ns + d.controller_ns) * clock + 4.0)
        }
    }
}

/// Beats of state between reading and writing: the recurrence is that many behind, and a burst is collected before it is written.
fn held(config: &Config, program: &Program) -> usize {
    let head_words = program.code[3].first().map_or(1, |op| WKV.get(op, "head_words") as usize);
    wkv::overhead_cycles(config.wkv_lanes(), head_words) + dma::burst_beats(config)
}

/// A fifo of the chip by its history: when each chunk came and left.
#[derive(Default)]
struct Fifo {
    capacity: u64,
    /// Beats that came, and when, for each chunk.
    arrived: Vec<(u64, f64)>,
    /// Beats that left, and when, for each consumption.
    left: Vec<(u64, f64)>,
    in_beats: u64,
    out_beats: u64,
    /// First entries of the two lists that searches still need.
    at: (usize, usize),
}

impl Fifo {
    fn push(&mut self, beats: u64, time: f64) {
        self.in_beats += beats;
        self.arrived.push((self.in_beats, time));
    }

    fn pop(&mut self, beats: u64, time: f64) {
        self.out_beats += beats;
        self.left.push((self.out_beats, time));
    }

    /// When there is room for `beats` more; `None` while that is not known.
    fn room(&mut self, beats: u64) -> Option<f64> {
        let must_have_left = (self.in_beats + beats).saturating_sub(self.capacity);
        while self.left.get(self.at.1).is_some_and(|l| l.0 < must_have_left) {
            self.at.1 += 1;
        }
        match must_have_left {
            0 => Some(0.0),
            _ => self.left.get(self.at.1).map(|l| l.1),
        }
    }

    /// When the next `beats` are all there; `None` while that is not known.
    fn there(&mut self, beats: u64) -> Option<f64> {
        let needed = self.out_beats + beats;
        while self.arrived.get(self.at.0).is_some_and(|a| a.0 < needed) {
            self.at.0 += 1;
        }
        self.arrived.get(self.at.0).map(|a| a.1)
    }
}

/// When writers that go before vec use the write port of vmem: from, to, share of the cycles.
#[derive(Default)]
struct WritePort {
    windows: Vec<(f64, f64, f64)>,
    /// First window that may still matter.
    at: usize,
}

impl WritePort {
    /// Nobody will ask about times before `now` any more.
    fn forget(&mut self, now: f64) {
        while self.windows.get(self.at).is_some_and(|w| w.1 <= now) {
            self.at += 1;
        }
    }

    /// When the last of `words` is written by somebody who may begin at `start` and yields to the others.
    fn last_write(&self, start: f64, words: f64) -> f64 {
        let (mut now, mut left) = (start, words);
        for (from, to, share) in &self.windows[self.at..] {
            let free = (from - now).max(0.0);
            if left <= free {
                break;
            }
            left -= free;
            now = now.max(*from);
            let inside = (to - now).max(0.0) * (1.0 - share);
            if left <= inside {
                return now + left / (1.0 - share);
            }
            left -= inside;
            now = now.max(*to);
        }
        now + left
    }
}

struct Simulation<'a> {
    config: &'a Config,
    program: &'a Program,
    chunk: u64,
    beats_a_unit: u64,
    rate: f64,
    weights: Fifo,
    params: Fifo,
    /// The queue of state beats of a configuration with the state in memory.
    states: Fifo,
    mat_done: Vec<f64>,
    vec_done: Vec<f64>,
    wkv_done: Vec<f64>,
    /// Piece of the stream, beats of it asked for, and when the last chunk came.
    dma: (usize, u64, f64),
    /// Beats of state that were read and are still to be written, and how many of them wait before any is: what the recurrence and the
    /// state writer hold.
    owed: f64,
    held: f64,
    /// Beats of state that the present recurrence still takes, 0 before it starts.
    state_left: u64,
    /// When the last of those it took was taken.
    state_from: f64,
    /// Beats of the current instruction that are taken, and when the last was.
    mat: (u64, f64),
    /// When that instruction could begin.
    mat_from: f64,
    /// When the last word of an instruction was issued, and until when a table is still busy.
    vec_issued: f64,
    vec_lut_until: f64,
    vec_blocks: std::collections::VecDeque<(usize, u64)>,
    port: WritePort,
    out: Cycles,
    lost: [f64; 3],
}

/// Cycles of a token of `program`, compiled for `config`.
pub fn token(config: &Config, program: &Program) -> Cycles {
    let (rate, latency) = memory(config);
    let beats_a_unit = (64 / config.beat_bytes()).max(1) as u64;
    let fifo = |capacity: usize| Fifo { capacity: capacity as u64, ..Default::default() };
    let l = &config.limits;
    let mut s = Simulation {
        config,
        program,
        chunk: (l.weight_fifo_beats.min(l.param_fifo_beats) as u64 / 4).clamp(beats_a_unit, 64),
        beats_a_unit,
        rate,
        weights: fifo(l.weight_fifo_beats),
        params: fifo(l.param_fifo_beats),
        states: fifo(l.state_fifo_beats),
        owed: 0.0,
        held: held(config, program) as f64,
        state_left: 0,
        state_from: 0.0,
        mat_done: Vec::with_capacity(program.mat.len()),
        vec_done: Vec::with_capacity(program.vec.len()),
        wkv_done: Vec::with_capacity(program.wkv.len()),
        dma: (0, 0, START + latency),
        mat: (0, 0.0),
        mat_from: 0.0,
        vec_issued: 0.0,
        vec_lut_until: 0.0,
        vec_blocks: program.param_blocks.iter().map(|(op, units)| (*op, *units as u64 * beats_a_unit)).collect(),
        port: WritePort::default(),
        out: Cycles::default(),
        lost: [0.0; 3],
    };
    s.run();
    let ends = [&s.mat_done, &s.vec_done, &s.wkv_done].map(|d| d.last().copied().unwrap_or(0.0));
    let cycles = ends.into_iter().fold(s.dma.2, f64::max) + END;
    let cycles_per_token = cycles.round() as u64;
    Cycles {
        cycles_per_token,
        mat_waits_for_operand: s.lost[0].round() as u64,
        mat_waits_for_weights: s.lost[1].round() as u64,
        mat_waits_for_drain: s.lost[2].round() as u64,
        utilisation: program.useful_bytes as f64 / (cycles_per_token as f64 * config.beat_bytes() as f64),
        ..s.out
    }
}

impl Simulation<'_> {
    /// Advances whatever can be advanced until nothing can: the compiler has proved that then all is done.
    fn run(&mut self) {
        while self.dma() | self.matrix() | self.vector() | self.recurrence() {}
    }

    fn field(&self, unit: usize, format: &Format, op: usize, field: &str) -> u64 {
        format.get(&self.program.code[unit][op], field)
    }

    /// When an instruction may begin that waits for the `n` first of a unit; `None` while that is not known.
    fn all_done(done: &[f64], n: u64, hand_over: f64) -> Option<f64> {
        match n as usize {
            0 => Some(0.0),
            n => done.get(n - 1).map(|t| t + hand_over),
        }
    }

    fn dma(&mut self) -> bool {
        let mut moved = false;
        while self.dma.0 < self.program.code[0].len() {
            let kind = self.field(0, &DMA, self.dma.0, "kind");
            let pieces = match (kind, self.config.sessions as u64) {
                (dma_kind::STATE, n) if n > 1 => n * self.field(0, &DMA, self.dma.0, "cols"),
                _ => 1,
            };
            let length = pieces * self.field(0, &DMA, self.dma.0, "len") * self.beats_a_unit;
            let beats = self.chunk.min(length - self.dma.1);
            let fifo = match kind {
                dma_kind::WEIGHTS | dma_kind::TOKEN_WEIGHTS => &mut self.weights,
                dma_kind::STATE => &mut self.states,
                _ => &mut self.params,
            };
            let Some(room) = fifo.room(beats) else { return moved };
            // data wait in the memory's queue when there is no room, so a full fifo costs no latency
            let start = self.dma.2.max(room);
            // what is read of the state is written again, over the same bus: in pauses, or in turn with what is read
            self.owed = (self.owed - (start - self.dma.2) * self.rate).max(0.0);
            let written = match kind {
                dma_kind::STATE | dma_kind::SESSION => {
                    self.owed += beats as f64;
                    (self.owed - self.held).max(0.0)
                }
                _ => self.owed.min(beats as f64),
            };
            self.owed -= written;
            let time = start + (beats as f64 + written) / self.rate;
            fifo.push(beats, time);
            self.out.beats += beats;
            self.dma.1 += beats;
            self.dma.2 = time;
            if self.dma.1 == length {
                self.dma = (self.dma.0 + 1, 0, time);
            }
            moved = true;
        }
        moved
    }

    fn matrix(&mut self) -> bool {
        let mut moved = false;
        while self.mat_done.len() < self.program.mat.len() {
            let op = self.mat_done.len();
            let program = self.program;
            let get = |name| MAT.get(&program.code[1][op], name);
            let (fmt, rows, tiles) = (get("fmt"), get("rows") as f64, get("tiles"));
            let wait = get("wait_vec");
            let units = self.program.mat_units[op] as u64;
            let beats = units * self.beats_a_unit;
            let Some(ready) = Self::all_done(&self.vec_done, wait, HAND_OVER) else { return moved };
            let from = self.mat.1.max(ready);
            if self.mat.0 == 0 {
                self.mat_from = from;
                let start = (ready + MAT_ACCEPT).max(self.mat.1 + 1.0); // a cycle lies between two instructions
                self.lost[0] += start - self.mat.1;
                self.mat.1 = start;
            }
            // rows leave one a cycle: a tile with fewer beats than rows waits for the one before
            let tile_rows = if fmt == mat_fmt::W16 { 8.0 } else { 16.0 };
            let tile_beats = beats as f64 / tiles as f64;
            let pace = if fmt == mat_fmt::W8_COLUMNS { 1.0 } else { (tile_rows / tile_beats).max(1.0) };
            while self.mat.0 < beats {
                let n = self.chunk.min(beats - self.mat.0);
                let Some(there) = self.weights.there(n) else { return moved };
                let took = n as f64 * pace;
                let end = (self.mat.1 + took).max(there + 1.0);
                self.lost[1] += end - self.mat.1 - took;
                self.lost[2] += took - n as f64;
                self.weights.pop(n, end);
                self.mat = (self.mat.0 + n, end);
                moved = true;
            }
            let last_rows = match fmt {
                mat_fmt::W8_COLUMNS => rows,
                _ => rows - (tiles as f64 - 1.0) * tile_rows,
            };
            if fmt == mat_fmt::W8_COLUMNS {
                // the last column's beats go at the pace of the rows that become final with them
                let column = (tiles as f64 * 16.0 / self.config.beat_bytes() as f64).ceil();
                self.lost[2] += (rows - column).max(0.0);
                self.mat.1 += (rows - column).max(0.0);
                self.mat_done.push(self.mat.1 + MAT_DRAIN + 16.0);
            } else {
                self.mat_done.push(self.mat.1 + MAT_DRAIN + last_rows);
            }
            self.mat.0 = 0;
            if get("dest") == mat_dest::VMEM {
                let end = self.mat_done[op];
                let tile = if fmt == mat_fmt::W8_COLUMNS { rows } else { tile_beats.max(tile_rows) };
                let first = match fmt {
                    mat_fmt::W8_COLUMNS => end - rows,
                    _ => (self.mat_from + tile + MAT_DRAIN).min(end - last_rows),
                };
                self.port.windows.push((first, end, (rows / (end - first)).min(1.0)));
            }
        }
        moved
    }

    fn vector(&mut self) -> bool {
        // one instruction a call, so that mat is as far ahead as it can be
        let op = self.vec_done.len();
        if op < self.program.vec.len() {
            let program = self.program;
            let get = |name| VEC.get(&program.code[2][op], name);
            let Some(mat) = Self::all_done(&self.mat_done, get("wait_mat"), HAND_OVER_VEC) else { return false };
            let Some(wkv) = Self::all_done(&self.wkv_done, get("wait_wkv"), HAND_OVER_VEC) else { return false };
            let table = get("lut") != lut::NONE;
            // the issue of an instruction that does not drain is decided in the cycle after the one before it ended
            let mut start = (self.vec_issued + 1.0).max(mat).max(wkv);
            if get("drain") == 1 {
                start = start.max(self.vec_done.last().map_or(0.0, |done| done + 1.0));
            }
            if !table {
                start = start.max(self.vec_lut_until);
            }
            let block = self.vec_blocks.front().copied().filter(|b| b.0 == op);
            let mut there = 0.0;
            if let Some((_, beats)) = block {
                match self.params.there(beats) {
                    Some(time) => there = time + 2.0,
                    None => return false,
                }
            }
            let words = get("n_words") as f64;
            let (mut issued, mut done) = self.pass(op, start, there - words, table);
            if get("dest") == dest::VMEM {
                let latency = if table { vec::VEC_LATENCY_LUT } else { vec::VEC_LATENCY } as f64;
                let last = self.port.last_write(issued - words + latency, words);
                let held = last - (issued + latency);
                issued += held.max(0.0);
                done += held.max(0.0);
            }
            if let Some((_, beats)) = block {
                self.params.pop(beats, issued);
                self.vec_blocks.pop_front();
            }
            self.port.forget(self.vec_issued.min(self.wkv_done.last().copied().unwrap_or(f64::MAX)) - 1000.0);
            self.vec_issued = issued;
            if table {
                self.vec_lut_until = issued + vec_lane::TABLE_STAGES as f64;
            }
            let in_order = self.vec_done.last().copied().unwrap_or(0.0);
            self.vec_done.push(done.max(in_order));
            return true;
        }
        false
    }

    /// When the last word of a pass that may start at `start` and not end before its parameters are there is issued, and when it is done.
    fn pass(&self, op: usize, start: f64, params: f64, table: bool) -> (f64, f64) {
        let get = |name| self.field(2, &VEC, op, name);
        let words = get("n_words");
        let latency = if table { vec::VEC_LATENCY_LUT } else { vec::VEC_LATENCY } as f64;
        let first = start.max(params);
        let scalar = match get("post") {
            post::NONE => return (first + words as f64, first + words as f64 + latency - 1.0),
            post::MEAN => vec_scalar::MEAN_CYCLES,
            post::RSQ => vec_scalar::RSQ_CYCLES,
            _ => vec_scalar::VALUE_CYCLES,
        } as f64;
        let to_sum = match get("acc_sel") {
            acc_sel::PRODUCT => vec_lane::PRODUCT_STAGE as f64,
            _ => latency - 1.0,
        } + vec_reduce::stages(self.config.vlanes()) as f64;
        let segment = get("seg_words").max(1).min(words);
        let (mut issued, mut scalar_end) = (first, 0f64);
        let mut ends = std::collections::VecDeque::new();
        let mut left = words;
        while left > 0 {
            let n = segment.min(left);
            left -= n;
            issued += n as f64;
            // a segment's last word waits until the queue has room for its sum
            if ends.len() == vec_reduce::QUEUE {
                issued = issued.max(ends.pop_front().unwrap_or(0.0));
            }
            scalar_end = scalar_end.max(issued + to_sum) + scalar;
            ends.push_back(scalar_end);
        }
        (issued, scalar_end.max(issued + latency) - 1.0)
    }

    fn recurrence(&mut self) -> bool {
        let mut moved = false;
        while self.wkv_done.len() < self.program.wkv.len() {
            let op = self.wkv_done.len();
            let program = self.program;
            let get = |name| WKV.get(&program.code[3][op], name);
            let Some(ready) = Self::all_done(&self.vec_done, get("wait_vec"), HAND_OVER) else { return moved };
            // one engine serves all sessions in turn
            let sessions = self.config.sessions as u64;
            let words = sessions * get("n_head") * get("head_size") * get("head_words");
            let overhead = wkv::overhead_cycles(self.config.wkv_lanes(), get("head_words") as usize);
            let start = self.wkv_done.last().copied().unwrap_or(0.0).max(ready);
            let mut free = start + words as f64 + overhead as f64 - 1.0;
            if self.config.streams_state() {
                if self.state_left == 0 {
                    (self.state_left, self.state_from) = (words, start);
                }
                // word by word as they come; the last one ends the instruction
                while self.state_left > 0 {
                    let n = self.chunk.min(self.state_left);
                    let Some(there) = self.states.there(n) else { return moved };
                    self.state_from = (self.state_from + n as f64).max(there);
                    self.states.pop(n, self.state_from);
                    self.state_left -= n;
                    moved = true;
                }
                free = self.state_from + overhead as f64 - 1.0;
            }
            // rows wait while mat writes
            let rows = (sessions * get("n_head") * get("head_size")) as f64;
            let end = self.port.last_write(free - words as f64, rows).max(free);
            self.wkv_done.push(end);
            self.port.windows.push((end - words as f64, end, rows / words as f64));
            self.port.windows[self.port.at..].sort_by(|a, b| a.0.total_cmp(&b.0));
            moved = true;
        }
        moved
    }
}
