//! A simulator of mapped netlists that counts toggles: no compilation, work only where something changes.
//!
//! Verilator needs minutes of C++ for a quarter of a million gates, and several times that when every net is to be counted. This
//! one starts at once. A gate is the truth table of its Liberty `function`; after an edge, gates are evaluated once each in
//! an order in which each comes after those it reads, and only those with a changed input: one bit a gate says so, and one
//! pass over these bits settles the circuit. Registers change together at the rising edge of the one clock. It stands on the bench as a Verilator model does, by [`sim_harness::dut::Dut::from_model`].
//!
//! There are no delays, so no glitches: a net changes at most once after each edge and once after the inputs changed.

use crate::flat::{Circuit, PortBits, Ram, Register, REGISTER};
use power::activity::{Activity, Measured};
use sim_harness::dut::{Model, ModelPort};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

/// A simulation under way.
pub struct Interpreter {
    circuit: Circuit,
    values: Vec<u8>,
    /// Gates to evaluate, one bit each
    waiting: Vec<u64>,
    /// Storage of each port, 64 bits a word; the bench holds it too and accesses it between evaluations
    storage: Vec<Arc<[AtomicU64]>>,
    /// Registers whose data input changed since the last edge, one bit each
    stale: Vec<u64>,
    rams: Vec<RamState>,
    clock_was: u8,
    counting: Option<Counts>,
}

struct RamState {
    words: Vec<u32>,
    per_word: usize,
}

struct Counts {
    nets: Vec<Count>,
    now: u64,
}

/// One net, small enough that a toggle touches one line of the cache. Times are half cycles, of which 2^32 are weeks of simulation.
#[derive(Clone, Copy, Default)]
struct Count {
    toggles: u32,
    /// Time at 1, up to the last change
    ones: u32,
    last: u32,
}

/// Returns as many words as `n` bits need, all set.
fn all_set(n: usize) -> Vec<u64> {
    let mut bits = vec![u64::MAX; n.div_ceil(64)];
    if let (Some(last), used @ 1..) = (bits.last_mut(), n % 64) {
        *last = (1 << used) - 1;
    }
    bits
}

impl Interpreter {
    pub fn new(circuit: Circuit) -> Interpreter {
        let n = circuit.n_nets();
        let rams = circuit.rams.iter().map(|r| {
            let per_word = r.rdata.len().div_ceil(32);
            RamState { words: vec![0; per_word << r.raddr.len()], per_word }
        });
        let rams = rams.collect();
        let words = |p: &PortBits| (0..p.bits.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let storage = circuit.ports.iter().map(words).collect();
        let mut sim = Interpreter {
            values: vec![0; n],
            waiting: all_set(circuit.gates.len()),
            storage,
            stale: all_set(circuit.registers.len()),
            rams,
            clock_was: 0,
            counting: None,
            circuit,
        };
        sim.values[1] = 1; // net 0 is constant 0, net 1 constant 1
        sim.settle();
        sim
    }

    /// Counts toggles from now on.
    pub fn start_counting(&mut self) {
        let n = self.values.len();
        self.counting = Some(Counts { nets: vec![Count::default(); n], now: 0 });
    }

    /// Returns the activity of every net since counting began, over the seconds that so many cycles take at `clock_mhz`.
    pub fn stop_counting(&mut self, clock_mhz: f64) -> Option<Measured> {
        let counts = self.counting.take()?;
        let seconds = counts.now as f64 / 2.0 / (clock_mhz * 1e6);
        if counts.now == 0 {
            return None;
        }
        let nets = self.circuit.names.iter().map(|(name, net)| {
            let i = *net as usize;
            let Count { toggles, ones, last } = counts.nets[i];
            let ones = u64::from(ones) + u64::from(self.values[i]) * (counts.now - u64::from(last));
            let activity = Activity {
                density: f64::from(toggles) / seconds,
                duty: (ones as f64 / counts.now as f64).clamp(0.0, 1.0),
            };
            (name.clone(), activity)
        });
        Some(Measured::new(seconds, nets))
    }

    #[inline]
    fn put(&mut self, net: u32, value: u8) {
        let i = net as usize;
        if self.values[i] == value {
            return;
        }
        self.values[i] = value;
        if let Some(c) = &mut self.counting {
            let count = &mut c.nets[i];
            count.toggles += 1;
            if value == 0 {
                count.ones += c.now as u32 - count.last;
            }
            count.last = c.now as u32;
        }
        let (from, to) = (self.circuit.readers_at[i] as usize, self.circuit.readers_at[i + 1] as usize);
        for &reader in &self.circuit.readers[from..to] {
            let r = (reader & !REGISTER) as usize;
            let bits = if reader & REGISTER == 0 { &mut self.waiting } else { &mut self.stale };
            bits[r / 64] |= 1 << (r % 64);
        }
    }

    /// A gate that is woken while this runs stands behind the one that wakes it.
    fn settle(&mut self) {
        for word in 0..self.waiting.len() {
            while self.waiting[word] != 0 {
                let bit = self.waiting[word].trailing_zeros() as usize;
                self.waiting[word] &= self.waiting[word] - 1;
                let gate = &self.circuit.gates[word * 64 + bit];
                let mut index = 0;
                for (k, net) in gate.inputs[..gate.n as usize].iter().enumerate() {
                    index |= usize::from(self.values[*net as usize]) << k;
                }
                let (out, value) = (gate.output, (gate.table >> index & 1) as u8);
                self.put(out, value);
            }
        }
    }

    fn word(&self, bits: &[u32]) -> usize {
        bits.iter().enumerate().fold(0, |n, (i, b)| n | usize::from(self.values[*b as usize]) << i)
    }

    /// Memories and registers take what stood at their inputs.
    fn rising_edge(&mut self) {
        let mut changes: Vec<(u32, u8)> = vec![];
        let rams = std::mem::take(&mut self.circuit.rams);
        for (i, r) in rams.iter().enumerate() {
            self.ram_edge(i, r, &mut changes);
        }
        self.circuit.rams = rams;
        for word in 0..self.stale.len() {
            let mut bits = std::mem::take(&mut self.stale[word]);
            while bits != 0 {
                let r = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let Register { data, state, reset, .. } = self.circuit.registers[r];
                let next = match reset {
                    Some((net, value)) if self.values[net as usize] == 0 => u8::from(value),
                    _ => self.values[data as usize],
                };
                if next != self.values[state as usize] {
                    changes.push((state, next));
                }
            }
        }
        for (net, value) in changes {
            self.put(net, value);
        }
    }

    fn ram_edge(&mut self, i: usize, r: &Ram, changes: &mut Vec<(u32, u8)>) {
        let per_word = self.rams[i].per_word;
        if self.values[r.re as usize] == 1 {
            let at = self.word(&r.raddr) * per_word;
            for (b, net) in r.rdata.iter().enumerate() {
                changes.push((*net, (self.rams[i].words[at + b / 32] >> (b % 32) & 1) as u8));
            }
        }
        if self.values[r.we as usize] == 1 {
            let at = self.word(&r.waddr) * per_word;
            for (w, bits) in r.wdata.chunks(32).enumerate() {
                self.rams[i].words[at + w] = self.word(bits) as u32;
            }
        }
    }

    /// Settles, and everything whose reset is low goes there, and may leave at the next edge. A register may be the reset of others.
    fn settle_and_reset(&mut self) {
        self.settle();
        let resets = std::mem::take(&mut self.circuit.resets);
        loop {
            let mut changed = false;
            for reset in &resets {
                let low = self.values[reset.net as usize] == 0;
                for &r in reset.registers.iter().filter(|_| low) {
                    let register = self.circuit.registers[r as usize];
                    let value = register.reset.is_some_and(|(_, value)| value);
                    changed |= self.values[register.state as usize] != u8::from(value);
                    self.put(register.state, u8::from(value));
                    self.stale[r as usize / 64] |= 1 << (r % 64);
                }
            }
            if !changed {
                break;
            }
            self.settle();
        }
        self.circuit.resets = resets;
    }

    fn inputs(&mut self) {
        let ports = std::mem::take(&mut self.circuit.ports);
        for (p, port) in ports.iter().enumerate().filter(|(_, p)| p.is_input) {
            for (i, net) in port.bits.iter().enumerate() {
                let value = (self.storage[p][i / 64].load(Relaxed) >> (i % 64) & 1) as u8;
                if self.values[*net as usize] != value {
                    self.put(*net, value);
                }
            }
        }
        self.circuit.ports = ports;
    }

    fn outputs(&mut self) {
        for (p, PortBits { bits, .. }) in self.circuit.ports.iter().enumerate().filter(|(_, p)| !p.is_input) {
            for (word, nets) in self.storage[p].iter().zip(bits.chunks(64)) {
                let value = nets.iter().enumerate().map(|(i, net)| u64::from(self.values[*net as usize]) << i);
                word.store(value.fold(0, |all, bit| all | bit), Relaxed);
            }
        }
    }
}

// SAFETY: `storage` is private, only `ports` and `eval` touch it, both through `&mut self`, and each port has its own words.
unsafe impl Model for Interpreter {
    fn ports(&mut self) -> Vec<ModelPort> {
        let ports = self.circuit.ports.iter().zip(&self.storage);
        ports
            .map(|(p, s)| ModelPort { name: p.name.clone(), bits: p.bits.len(), input: p.is_input, words: s.clone() })
            .collect()
    }

    fn eval(&mut self) -> Result<(), String> {
        if let Some(c) = &mut self.counting {
            c.now += 1;
        }
        let clock = self.circuit.clock;
        let before = self.clock_was;
        // the edge comes first: registers take what stood before the inputs of this half cycle
        let clock_now = self
            .circuit
            .ports
            .iter()
            .position(|p| p.name == "clk_i")
            .map_or(0, |p| self.storage[p][0].load(Relaxed) & 1) as u8;
        if clock_now == 1 && before == 0 {
            self.put(clock, 1);
            self.rising_edge();
        }
        self.clock_was = clock_now;
        self.inputs();
        self.settle_and_reset();
        self.outputs();
        Ok(())
    }
}
