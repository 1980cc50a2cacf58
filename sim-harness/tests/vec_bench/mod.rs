//! Bench of the vector unit: memories, random stalls, every output compared with [`model`].

pub mod model;
pub mod programs;

use golden_model::arithmetic::fixed::Saturations;
use model::{Exponent, Instruction, Model, Scalar, Word};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::core::vmem::WRITE_LATENCY;
use rtl_gen::config::Config;
use rtl_gen::isa::dest;
use sim_harness::dut::{BuildOptions, Dut, Port};
use std::collections::VecDeque;

/// How often the bench lets each handshake go on: 1.0 is always.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    pub instruction: f64,
    pub params: f64,
    pub write: f64,
}

pub const NO_STALLS: Ready = Ready { instruction: 1.0, params: 1.0, write: 1.0 };

/// When things happened, in cycles from the start pulse, by instruction.
#[derive(Clone, Debug, Default)]
pub struct Times {
    pub first_read: Vec<usize>,
    pub last_word: Vec<usize>,
    pub last_scalar: Vec<usize>,
    pub done: Vec<usize>,
}

struct Ports {
    one: std::collections::HashMap<&'static str, Port>,
}

impl std::ops::Index<&str> for Ports {
    type Output = Port;
    fn index(&self, name: &str) -> &Port {
        &self.one[name]
    }
}

const PORTS: [&str; 47] = [
    "start_i",
    "instr_valid_i",
    "instr_ready_o",
    "instr_i",
    "instr_idx_i",
    "done_o",
    "va_en_o",
    "va_addr_o",
    "va_data_i",
    "vb_en_o",
    "vb_addr_o",
    "vb_data_i",
    "vw_valid_o",
    "vw_ready_i",
    "vw_addr_o",
    "vw_data_o",
    "xw_en_o",
    "xw_addr_o",
    "xw_data_o",
    "kw_en_o",
    "kw_slot_o",
    "kw_addr_o",
    "kw_data_o",
    "exp_we_o",
    "exp_wkv_o",
    "exp_slot_o",
    "exp_o",
    "p_valid_i",
    "p_ready_o",
    "p_data_i",
    "sat_o",
    "busy_o",
    "trace_vec_valid_o",
    "trace_vec_op_o",
    "trace_vec_word_o",
    "trace_vec_data_o",
    "trace_sreg_valid_o",
    "trace_sreg_op_o",
    "trace_sreg_seg_o",
    "trace_sreg_mean_o",
    "trace_sreg_mult_o",
    "trace_sreg_shift_o",
    "trace_exp_valid_o",
    "trace_exp_op_o",
    "trace_exp_exp_o",
    "clk_i",
    "rst_ni",
];

pub struct Bench {
    pub config: Config,
    pub model: Model,
    dut: Dut,
    ports: Ports,
    vmem: Vec<i32>,
    /// Words on their way to `vmem`: address and data, oldest first, one entry a cycle.
    late: VecDeque<Option<(usize, Vec<i32>)>>,
}

/// A configuration with this bus, `n_head` scalars and a vector memory of 256 words.
pub fn config(bus_bits: usize, n_head: usize) -> Config {
    let text = include_str!("../../../configs/nano.toml")
        .replace("bus_bits = 128", &format!("bus_bits = {bus_bits}"))
        .replace("n_head = 16", &format!("n_head = {n_head}"))
        .replace("vmem_elements = 16384", &format!("vmem_elements = {}", VMEM_WORDS * bus_bits / 32));
    Config::parse(&text, "nano.toml of the bench").unwrap()
}

pub const VMEM_WORDS: usize = 256;

impl Bench {
    pub fn new(bus_bits: usize, n_head: usize) -> Self {
        let config = config(bus_bits, n_head);
        let printed = rtl_gen::hdl::print(&rtl_gen::blocks::vec::vec(&config)).unwrap();
        let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        let ports = Ports { one: PORTS.iter().map(|&name| (name, dut.port(name).unwrap())).collect() };
        dut.reset();
        let model = Model::new(config.vlanes(), VMEM_WORDS, n_head);
        let late = vec![None; WRITE_LATENCY - 1].into();
        Bench { vmem: model.vmem.clone(), model, dut, ports, config, late }
    }

    pub fn set_vmem(&mut self, values: impl Fn(usize) -> i32) {
        for (i, v) in self.vmem.iter_mut().enumerate() {
            *v = values(i);
        }
        self.model.vmem.copy_from_slice(&self.vmem);
    }

    fn lanes(&self, port: &str, bits: usize) -> Vec<i32> {
        (0..self.config.vlanes()).map(|l| self.dut.lane(self.ports[port], l, bits)).collect()
    }

    fn get(&self, port: &str) -> u64 {
        self.dut.get(self.ports[port])
    }

    /// Runs a program (instructions with their parameters) to its end and compares everything it does with the model.
    pub fn run(
        &mut self,
        program: &[(Instruction, Vec<i16>)],
        ready: Ready,
        rng: &mut ChaCha8Rng,
        what: &str,
    ) -> Times {
        let vl = self.config.vlanes();
        self.model.amax = 0;
        self.model.saturations = Saturations(0);
        let mut beats = VecDeque::new();
        for (op, (f, params)) in program.iter().enumerate() {
            self.model.step(op as u64, f, params);
            beats.extend(params_to_beats(params, self.config.bus_bits, rng));
        }
        // the cycles of the program's reads: (instruction, word)
        let mut reads = program.iter().enumerate().flat_map(|(op, (f, _))| (0..f.n_words).map(move |i| (op, i)));
        let mut times = Times {
            first_read: vec![0; program.len()],
            last_word: vec![0; program.len()],
            last_scalar: vec![0; program.len()],
            done: vec![],
        };
        let (mut next, mut offered, mut p_offered) = (0, false, false);
        let mut saturations = 0;
        let mut limit = 2000 + 60 * program.iter().map(|(f, _)| f.n_words).sum::<usize>();
        limit = (limit as f64 / (ready.write * ready.params * ready.instruction)) as usize;
        self.dut.set(self.ports["start_i"], 1);
        self.dut.tick();
        self.dut.set(self.ports["start_i"], 0);
        let (mut a_word, mut b_word) = (vec![0; vl], vec![0; vl]); // the memory's output registers
        for cycle in 0.. {
            let at = |e: &dyn std::fmt::Display| format!("{what}, cycle {cycle}: {e}");
            assert!(cycle < limit, "{}", at(&format!("only {} of {} finished", times.done.len(), program.len())));
            // inputs; a valid once given stays until it is taken
            offered = next < program.len() && (offered || rng.gen_bool(ready.instruction));
            p_offered = !beats.is_empty() && (p_offered || rng.gen_bool(ready.params));
            let write_ready = rng.gen_bool(ready.write);
            self.dut.set(self.ports["instr_valid_i"], offered.into());
            if offered {
                self.dut.set_wide(self.ports["instr_i"], &program[next].0.encode());
                self.dut.set(self.ports["instr_idx_i"], next as u64);
            }
            self.dut.set(self.ports["p_valid_i"], p_offered.into());
            if p_offered {
                self.dut.set_wide(self.ports["p_data_i"], &beats[0]);
            }
            self.dut.set(self.ports["vw_ready_i"], write_ready.into());
            self.dut.set_lanes(self.ports["va_data_i"], 27, &a_word);
            self.dut.set_lanes(self.ports["vb_data_i"], 27, &b_word);
            self.dut.clock_low().unwrap();

            // reads: a drained instruction's first one finds everything before it finished
            if self.get("va_en_o") == 1 {
                let (op, word) = reads.next().unwrap_or_else(|| panic!("{}", at(&"a read too many")));
                let f = &program[op].0;
                if word == 0 {
                    times.first_read[op] = cycle;
                    if f.drain {
                        let earliest = self.unfinished();
                        assert!(earliest >= op, "{}", at(&format!("{op} drains, but {earliest} is not finished")));
                    }
                }
                assert_eq!(self.get("va_addr_o"), (f.a_addr + word) as u64, "{}", at(&op));
                if f.uses_b() {
                    assert_eq!(
                        (self.get("vb_en_o"), self.get("vb_addr_o")),
                        (1, (f.b_addr + word) as u64),
                        "{}",
                        at(&op)
                    );
                }
            }
            let read = |me: &Self, en: &str, addr: &str| -> Option<Vec<i32>> {
                (me.get(en) == 1).then(|| me.vmem[me.get(addr) as usize * vl..][..vl].to_vec())
            };
            let (a_read, b_read) = (read(self, "va_en_o", "va_addr_o"), read(self, "vb_en_o", "vb_addr_o"));

            self.late.push_back(None);
            self.check_word(program, write_ready, cycle, &mut times, &at);
            self.land_oldest();
            self.check_scalar(cycle, &mut times, &at);
            self.check_exponent(&at);
            saturations += self.get("sat_o");
            let done = self.get("done_o") == 1;
            let taken = offered && self.get("instr_ready_o") == 1;
            let p_taken = p_offered && self.get("p_ready_o") == 1;
            assert!(offered || self.get("instr_ready_o") == 0 || taken, "{}", at(&"ready without valid"));
            self.dut.clock_high().unwrap();

            if done {
                times.done.push(cycle);
                let earliest = self.unfinished();
                assert!(
                    earliest >= times.done.len(),
                    "{}",
                    at(&format!("done {} while {earliest} is not", times.done.len()))
                );
            }
            if taken {
                (next, offered) = (next + 1, false);
            }
            if p_taken {
                beats.pop_front();
                p_offered = false;
            }
            a_word = a_read.unwrap_or(a_word);
            b_word = b_read.unwrap_or(b_word);
            if times.done.len() == program.len() && beats.is_empty() {
                break;
            }
        }
        self.dut.set(self.ports["instr_valid_i"], 0);
        self.dut.set(self.ports["p_valid_i"], 0);
        self.dut.tick();
        (1..WRITE_LATENCY).for_each(|_| self.land_oldest());
        self.late.resize(WRITE_LATENCY - 1, None);
        assert_eq!(self.unfinished(), usize::MAX, "{what}: finished, but something is missing");
        assert_eq!(self.get("busy_o"), 0, "{what}: busy after the last instruction");
        assert_eq!(saturations, self.model.saturations.0, "{what}: saturations");
        assert!(self.vmem == self.model.vmem, "{what}: vector memory differs");
        times
    }

    /// The end of a cycle: the word accepted `WRITE_LATENCY - 1` cycles ago can be read from the next one on.
    fn land_oldest(&mut self) {
        if let Some(Some((addr, data))) = self.late.pop_front() {
            self.vmem[addr * data.len()..][..data.len()].copy_from_slice(&data);
        }
    }

    /// The first instruction of which the model still expects something.
    fn unfinished(&self) -> usize {
        let ops = [
            self.model.words.front().map(|e| e.op),
            self.model.scalars.front().map(|e| e.op),
            self.model.exponents.front().map(|e| e.op),
        ];
        ops.into_iter().flatten().min().map_or(usize::MAX, |op| op as usize)
    }

    fn check_word(
        &mut self,
        program: &[(Instruction, Vec<i16>)],
        write_ready: bool,
        cycle: usize,
        times: &mut Times,
        at: &dyn Fn(&dyn std::fmt::Display) -> String,
    ) {
        let vw = self.get("vw_valid_o") == 1 && write_ready;
        let (xw, kw) = (self.get("xw_en_o") == 1, self.get("kw_en_o") == 1);
        if self.get("trace_vec_valid_o") == 0 {
            assert!(!vw && !xw && !kw, "{}", at(&"a write without trace"));
            return;
        }
        let (dest, addr) = match (vw, xw, kw) {
            (true, false, false) => (dest::VMEM, self.get("vw_addr_o")),
            (false, true, false) => (dest::XMEM, self.get("xw_addr_o")),
            (false, false, true) => (dest::WKV, self.get("kw_addr_o")),
            (false, false, false) => (dest::NONE, self.model.words.front().map_or(0, |w| w.addr)),
            _ => panic!("{}", at(&"two writes at once")),
        };
        let data = self.lanes("trace_vec_data_o", 27);
        let slot = if kw { self.get("kw_slot_o") } else { 0 };
        let got = Word { op: self.get("trace_vec_op_o"), word: self.get("trace_vec_word_o"), data, dest, addr, slot };
        let expected = self.model.words.pop_front();
        let f = expected.as_ref().map(|w| &program[w.op as usize].0);
        assert_eq!(Some(&got), expected.as_ref(), "{}", at(&format!("word (left: RTL, right: model) of {f:?}")));
        times.last_word[got.op as usize] = cycle;
        match dest {
            dest::VMEM => {
                assert_eq!(self.lanes("vw_data_o", 27), got.data, "{}", at(&"vw_data_o"));
                *self.late.back_mut().unwrap() = Some((addr as usize, got.data));
            }
            dest::XMEM => assert_eq!(self.lanes("xw_data_o", 16), got.data, "{}", at(&"xw_data_o")),
            dest::WKV => assert_eq!(self.lanes("kw_data_o", 16), got.data, "{}", at(&"kw_data_o")),
            _ => {}
        }
    }

    fn check_scalar(&mut self, cycle: usize, times: &mut Times, at: &dyn Fn(&dyn std::fmt::Display) -> String) {
        if self.get("trace_sreg_valid_o") == 0 {
            return;
        }
        let got = Scalar {
            op: self.get("trace_sreg_op_o"),
            seg: self.get("trace_sreg_seg_o"),
            mean: self.dut.lane(self.ports["trace_sreg_mean_o"], 0, 27),
            mult: self.dut.lane(self.ports["trace_sreg_mult_o"], 0, 27),
            shift: self.get("trace_sreg_shift_o"),
        };
        let expected = self.model.scalars.pop_front();
        assert_eq!(Some(&got), expected.as_ref(), "{}", at(&"scalar (left: RTL, right: model)"));
        times.last_scalar[got.op as usize] = cycle;
    }

    fn check_exponent(&mut self, at: &dyn Fn(&dyn std::fmt::Display) -> String) {
        assert_eq!(self.get("exp_we_o"), self.get("trace_exp_valid_o"), "{}", at(&"exponent without trace"));
        if self.get("exp_we_o") == 0 {
            return;
        }
        let got = Exponent {
            op: self.get("trace_exp_op_o"),
            wkv: self.get("exp_wkv_o") == 1,
            slot: self.get("exp_slot_o"),
            exp: self.get("exp_o"),
        };
        assert_eq!(self.get("trace_exp_exp_o"), got.exp, "{}", at(&"trace of an exponent"));
        assert_eq!(Some(got), self.model.exponents.pop_front(), "{}", at(&"exponent (left: RTL, right: model)"));
    }
}

/// Parameters as beats, the last unit of 64 bytes filled with rubbish.
fn params_to_beats(params: &[i16], bus_bits: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
    let mut halves: Vec<u16> = params.iter().map(|&p| p as u16).collect();
    while !halves.len().is_multiple_of(32) {
        halves.push(rng.gen());
    }
    let words: Vec<u32> = halves.chunks(2).map(|h| u32::from(h[0]) | u32::from(h[1]) << 16).collect();
    words.chunks(bus_bits / 32).map(<[u32]>::to_vec).collect()
}
