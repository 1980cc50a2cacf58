//! A simulator of mapped netlists that counts toggles: no compilation, work only where something changes.
//!
//! Verilator needs minutes of C++ for a quarter of a million gates, and several times that when every net is to be counted. This
//! one starts at once. A gate is the truth table of its Liberty `function`; after an edge, gates are evaluated once each in
//! the order of their level, and only those with a changed input. Registers change together at the rising edge of the one
//! clock. It stands on the bench as a [`Dut`] does: `sim_harness::dut::Dut::from_model`.
//!
//! There are no delays, so no glitches: a net changes at most once after each edge and once after the inputs changed.

use crate::flat::{Circuit, PortBits, Ram, Register};
use power::activity::{Activity, Measured};
use sim_harness::dut::{Model, ModelPort};
use std::collections::HashMap;

/// A simulation under way.
pub struct Interpreter {
    circuit: Circuit,
    values: Vec<u8>,
    /// Gates to evaluate, by level
    waiting: Vec<Vec<u32>>,
    is_waiting: Vec<bool>,
    /// Storage of each port, 32 bits a word
    storage: Vec<Box<[u32]>>,
    /// Registers whose data input changed since the last edge
    stale: Vec<u32>,
    is_stale: Vec<bool>,
    rams: Vec<RamState>,
    clock_was: u8,
    in_reset: bool,
    counting: Option<Counts>,
}

struct RamState {
    words: Vec<u32>,
    per_word: usize,
}

struct Counts {
    toggles: Vec<u32>,
    /// Half cycles at 1, up to the last change
    ones: Vec<u64>,
    last: Vec<u64>,
    now: u64,
}

impl Interpreter {
    pub fn new(circuit: Circuit) -> Interpreter {
        let n = circuit.n_nets();
        let rams = circuit.rams.iter().map(|r| {
            let per_word = r.rdata.len().div_ceil(32);
            RamState { words: vec![0; per_word << r.raddr.len()], per_word }
        });
        let rams = rams.collect();
        let storage = circuit.ports.iter().map(|p| vec![0u32; p.bits.len().div_ceil(32).max(2)].into_boxed_slice());
        let storage = storage.collect();
        let mut sim = Interpreter {
            values: vec![0; n],
            waiting: vec![vec![]; circuit.levels],
            is_waiting: vec![false; circuit.gates.len()],
            storage,
            stale: (0..circuit.registers.len() as u32).collect(),
            is_stale: vec![true; circuit.registers.len()],
            rams,
            clock_was: 0,
            in_reset: false,
            counting: None,
            circuit,
        };
        sim.values[1] = 1; // net 0 is constant 0, net 1 constant 1
        for g in 0..sim.circuit.gates.len() {
            sim.wait(g as u32);
        }
        sim.settle();
        sim
    }

    /// Counts toggles from now on.
    pub fn start_counting(&mut self) {
        let n = self.values.len();
        self.counting = Some(Counts { toggles: vec![0; n], ones: vec![0; n], last: vec![0; n], now: 0 });
    }

    /// What was counted since, over the seconds that so many cycles take at `clock_mhz`; every net of the netlist is in it.
    pub fn stop_counting(&mut self, clock_mhz: f64) -> Option<Measured> {
        let counts = self.counting.take()?;
        let seconds = counts.now as f64 / 2.0 / (clock_mhz * 1e6);
        if counts.now == 0 {
            return None;
        }
        let mut nets = HashMap::with_capacity(self.circuit.names.len());
        for (name, net) in &self.circuit.names {
            let i = *net as usize;
            let ones = counts.ones[i] + u64::from(self.values[i]) * (counts.now - counts.last[i]);
            let activity = Activity {
                density: f64::from(counts.toggles[i]) / seconds,
                duty: (ones as f64 / counts.now as f64).clamp(0.0, 1.0),
            };
            nets.insert(name.clone(), activity);
        }
        Some(Measured { nets, seconds })
    }

    fn wait(&mut self, gate: u32) {
        if !std::mem::replace(&mut self.is_waiting[gate as usize], true) {
            self.waiting[self.circuit.gates[gate as usize].level as usize].push(gate);
        }
    }

    fn put(&mut self, net: u32, value: u8) {
        let i = net as usize;
        if self.values[i] == value {
            return;
        }
        self.values[i] = value;
        if let Some(c) = &mut self.counting {
            c.toggles[i] += 1;
            if value == 0 {
                c.ones[i] += c.now - c.last[i];
            }
            c.last[i] = c.now;
        }
        let (from, to) = (self.circuit.fanout_at[i] as usize, self.circuit.fanout_at[i + 1] as usize);
        for k in from..to {
            let gate = self.circuit.fanout[k];
            self.wait(gate);
        }
        let (from, to) = (self.circuit.data_at[i] as usize, self.circuit.data_at[i + 1] as usize);
        for k in from..to {
            let r = self.circuit.data[k];
            if !std::mem::replace(&mut self.is_stale[r as usize], true) {
                self.stale.push(r);
            }
        }
    }

    fn settle(&mut self) {
        for level in 0..self.waiting.len() {
            let mut gates = std::mem::take(&mut self.waiting[level]);
            for &g in &gates {
                self.is_waiting[g as usize] = false;
                let gate = &self.circuit.gates[g as usize];
                let mut index = 0;
                for (k, net) in gate.inputs[..gate.n as usize].iter().enumerate() {
                    index |= usize::from(self.values[*net as usize]) << k;
                }
                let (out, value) = (gate.output, (gate.table >> index & 1) as u8);
                self.put(out, value);
            }
            gates.clear();
            self.waiting[level] = gates; // keeps its room
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
        let mut stale = std::mem::take(&mut self.stale);
        for &r in &stale {
            self.is_stale[r as usize] = false;
            let Register { data, state, reset, .. } = self.circuit.registers[r as usize];
            let next = match reset {
                Some(value) if self.in_reset => u8::from(value),
                _ => self.values[data as usize],
            };
            if next != self.values[state as usize] {
                changes.push((state, next));
            }
        }
        stale.clear();
        self.stale = stale;
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

    /// Everything with an asynchronous reset goes there, and may leave at the next edge.
    fn reset(&mut self) {
        for r in 0..self.circuit.registers.len() {
            let register = self.circuit.registers[r];
            if let Some(value) = register.reset {
                self.put(register.state, u8::from(value));
                if !std::mem::replace(&mut self.is_stale[r], true) {
                    self.stale.push(r as u32);
                }
            }
        }
    }

    fn inputs(&mut self) {
        let ports = std::mem::take(&mut self.circuit.ports);
        for (p, port) in ports.iter().enumerate().filter(|(_, p)| p.is_input) {
            for (i, net) in port.bits.iter().enumerate() {
                let value = (self.storage[p][i / 32] >> (i % 32) & 1) as u8;
                if self.values[*net as usize] != value {
                    self.put(*net, value);
                }
            }
        }
        self.circuit.ports = ports;
    }

    fn outputs(&mut self) {
        for (p, PortBits { bits, .. }) in self.circuit.ports.iter().enumerate().filter(|(_, p)| !p.is_input) {
            self.storage[p].fill(0);
            for (i, net) in bits.iter().enumerate() {
                self.storage[p][i / 32] |= u32::from(self.values[*net as usize]) << (i % 32);
            }
        }
    }
}

impl Model for Interpreter {
    fn ports(&mut self) -> Vec<ModelPort> {
        let ports = self.circuit.ports.iter().zip(&mut self.storage);
        ports
            .map(|(p, s)| ModelPort {
                name: p.name.clone(),
                bits: p.bits.len(),
                input: p.is_input,
                words: s.as_mut_ptr(),
            })
            .collect()
    }

    fn eval(&mut self) -> Result<(), String> {
        if let Some(c) = &mut self.counting {
            c.now += 1;
        }
        let clock = self.circuit.clock;
        let before = self.clock_was;
        // the edge comes first: registers take what stood before the inputs of this half cycle
        let clock_now =
            self.circuit.ports.iter().position(|p| p.name == "clk_i").map_or(0, |p| self.storage[p][0] & 1) as u8;
        if clock_now == 1 && before == 0 {
            self.put(clock, 1);
            self.rising_edge();
        }
        self.clock_was = clock_now;
        self.inputs();
        self.in_reset = self.circuit.reset.is_some_and(|net| self.values[net as usize] == 0);
        if self.in_reset {
            self.reset();
        }
        self.settle();
        self.outputs();
        Ok(())
    }
}
