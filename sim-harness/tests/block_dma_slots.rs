//! The stream reader with the states of several sessions in memory (`docs/hardware.md` §7 and §8): whose state is read and in which order,
//! whose token, whose is 0, and that no address is used but those of slots at work.

mod bursts;
mod common;
mod dma_bench;

use bursts::{set_slots, state_bases, AtWork};
use dma_bench::{run, runs, Instr, Read, Run, To, BASE};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::dma::{dma, TOKEN_BITS};
use rtl_gen::config::Config;
use rtl_gen::hdl::{print, Printed};
use rtl_gen::isa::dma_kind;
use sim_harness::axi_memory::{AxiMemory, MemoryTiming};
use sim_harness::dut::{BuildOptions, Dut};

const NANO: &str = include_str!("../../configs/nano.toml");
const WIDE: &str = include_str!("../../configs/wide.toml");

const IMAGE_UNITS: u64 = 1024;
const STATE_UNITS: u64 = 512;

fn config(text: &str, sessions: usize) -> Config {
    Config::parse(&common::streamed_slots(text, sessions), "bench").unwrap_or_else(|e| panic!("{e}"))
}

fn units(rng: &mut ChaCha8Rng, n: u64) -> Vec<u8> {
    let mut bytes = vec![0; n as usize * 64];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// What does not change in a pass, and what lies in memory.
struct Pass {
    at_work: AtWork,
    /// A bit a slot: its state is read as zeros.
    zero: u64,
    tokens: Vec<u64>,
    /// STATE_BASE of each slot in units of 64 B.
    bases: Vec<u64>,
    image: Vec<u8>,
    /// The bytes of each slot's state; empty for one at rest.
    states: Vec<Vec<u8>>,
}

impl Pass {
    fn random(rng: &mut ChaCha8Rng, n: usize) -> Self {
        let at_work = AtWork::random(rng, n);
        Pass {
            at_work,
            zero: if rng.gen() { rng.gen_range(0..1 << n) } else { 0 },
            tokens: (0..n).map(|_| rng.gen_range(0..20)).collect(),
            bases: state_bases(rng, n, at_work, STATE_UNITS),
            image: units(rng, IMAGE_UNITS),
            states: (0..n).map(|s| if at_work.has(s) { units(rng, STATE_UNITS) } else { vec![] }).collect(),
        }
    }

    fn drive(&self, dut: &mut Dut, config: &Config) {
        let unit_bits = config.axi_addr_bits - 6;
        dut.set(dut.port("image_base_i").unwrap(), BASE >> 6);
        set_slots(dut, "token_i", TOKEN_BITS, &self.tokens);
        set_slots(dut, "state_base_i", unit_bits, &self.bases);
        dut.set(dut.port("zero_i").unwrap(), self.zero);
        if config.sessions > 1 {
            dut.set(dut.port("slots_i").unwrap(), self.at_work.mask());
        }
    }

    fn memory(&self, timing: MemoryTiming) -> AxiMemory<'_> {
        let mut memory = AxiMemory::new(&self.image, BASE, timing);
        for (base, state) in self.bases.iter().zip(&self.states).filter(|(_, state)| !state.is_empty()) {
            memory.add_region(base << 6, state.len());
            memory.region_mut(base << 6).unwrap().copy_from_slice(state);
        }
        memory
    }

    fn of_image(&self, to: To, unit: u64, len: u64) -> Read {
        let bytes = self.image[unit as usize * 64..(unit + len) as usize * 64].to_vec();
        Read { to, addr: BASE + unit * 64, bytes }
    }

    fn of_state(&self, to: To, slot: usize, unit: u64, len: u64) -> Read {
        let mut bytes = self.states[slot][unit as usize * 64..(unit + len) as usize * 64].to_vec();
        if self.zero >> slot & 1 == 1 {
            bytes.fill(0);
        }
        Read { to, addr: (self.bases[slot] + unit) * 64, bytes }
    }

    /// An instruction of any kind, with anything in the fields that are not its own, and what the document says that it reads.
    fn instr(&self, rng: &mut ChaCha8Rng) -> Instr {
        let n = self.tokens.len();
        let kind = rng.gen_range(0..7);
        let slot = rng.gen_range(0..n); // of a slot at rest, too: the program is the same whoever works
        let (mut cols, mut runs_of) = (rng.gen_range(0..1u64 << 16), vec![]);
        let mut len = [0, rng.gen_range(1..4), rng.gen_range(1..40), rng.gen_range(1..150)][rng.gen_range(0..4)];
        let addr;
        let reads = match kind {
            dma_kind::STATE => {
                // a head of length 0 does not exist
                let most = [2, 5, 30][rng.gen_range(0..3)];
                (len, cols) = (rng.gen_range(1..=most), rng.gen_range(1..=8));
                addr = rng.gen_range(0..=STATE_UNITS - len * cols);
                let heads = (0..if n > 1 { cols } else { 1 }).map(|head| addr + head * len);
                let of = |at| self.at_work.slots().into_iter().map(move |s| self.of_state(To::State, s, at, len));
                heads.flat_map(of).collect()
            }
            dma_kind::SESSION => {
                addr = rng.gen_range(0..=STATE_UNITS - len);
                let of = if self.at_work.has(slot) { slot } else { self.at_work.slots()[0] };
                vec![self.of_state(To::Params, of, addr, len)]
            }
            dma_kind::EMBEDDING | dma_kind::TOKEN_WEIGHTS => {
                len = len.min(40);
                addr = rng.gen_range(0..=IMAGE_UNITS - 20 * len);
                let to = if kind == dma_kind::EMBEDDING { To::Params } else { To::Weights };
                vec![self.of_image(to, addr + self.tokens[slot] * len, len)]
            }
            dma_kind::COLUMNS => {
                runs_of = runs((rng.gen::<u64>() & rng.gen::<u64>()) | 1 << rng.gen_range(0..64));
                len = rng.gen_range(1..=3);
                addr = rng.gen_range(0..=IMAGE_UNITS - 64 * len);
                runs_of.iter().map(|(first, n)| self.of_image(To::Weights, addr + first * len, n * len)).collect()
            }
            _ => {
                addr = rng.gen_range(0..=IMAGE_UNITS - len);
                vec![self.of_image(if kind == dma_kind::PARAMS { To::Params } else { To::Weights }, addr, len)]
            }
        };
        let any = |rng: &mut ChaCha8Rng, bits: u32| rng.gen_range(0..1i64 << bits);
        let fields = vec![
            ("kind", kind as i64),
            ("len", len as i64),
            ("addr", addr as i64),
            ("slot", slot as i64),
            ("cols", cols as i64),
            ("x_addr", any(rng, 14)),
            ("wait_vec", any(rng, 12)),
            ("last", any(rng, 1)),
            ("last_body", any(rng, 1)),
        ];
        Instr { fields, reads, runs: runs_of }
    }
}

/// Random passes, one after the other on the same reader: the most bursts in flight, or the first thing that is wrong.
fn passes(config: &Config, printed: &Printed, n: u64) -> Result<usize, String> {
    let mut dut = Dut::build(printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    dut.reset();
    let mut most = 0;
    for seed in 0..n {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let pass = Pass::random(&mut rng, config.sessions);
        let instrs: Vec<_> = (0..rng.gen_range(1..15)).map(|_| pass.instr(&mut rng)).collect();
        let stalls = rng.gen_bool(0.8);
        let mut p = |least| if stalls { rng.gen_range(least..1.0) } else { 1.0 };
        let r = Run {
            place: format!(
                "{} sessions, {} bits, seed {seed}, {:?}, zero {:#b}",
                config.sessions, config.bus_bits, pass.at_work, pass.zero
            ),
            p_instr: p(0.1),
            p_room: [p(0.2), p(0.2), p(0.2)],
            p_error: if seed % 4 == 0 { 0.1 } else { 0.0 },
        };
        let mut timing = MemoryTiming::of(config, if stalls { rng.gen_range(0.0..0.7) } else { 0.0 }, seed);
        timing.latency_cycles = rng.gen_range(1..80);
        pass.drive(&mut dut, config);
        let out = run(&mut dut, config, pass.memory(timing), &instrs, &r, &mut rng)?;
        most = most.max(out.most_in_flight);
    }
    Ok(most)
}

fn check(config: &Config) {
    let most = passes(config, &print(&dma(config)).unwrap(), 100).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        most, config.max_outstanding,
        "{} sessions, {} bits: bursts in flight",
        config.sessions, config.bus_bits
    );
}

#[test]
fn every_slot_gets_its_own_state_narrow() {
    for sessions in [1, 2, 4, 8] {
        check(&config(NANO, sessions));
    }
}

#[test]
fn every_slot_gets_its_own_state_wide() {
    for sessions in [2, 4, 8] {
        check(&config(WIDE, sessions));
    }
}

/// Bursts of at most 4 beats, or of one.
#[test]
fn odd_limits_are_kept() {
    let mut narrow = config(NANO, 4);
    (narrow.max_burst_beats, narrow.max_outstanding) = (5, 3);
    check(&narrow);
    let mut wide = config(WIDE, 2);
    (wide.max_burst_beats, wide.max_outstanding, wide.axi_addr_bits) = (1, 2, 64);
    check(&wide);
}

/// Whoever is next, a head is asked for while the one before it comes.
#[test]
fn the_next_slot_costs_no_beat() {
    for (text, sessions, len) in [(NANO, 4, 16), (WIDE, 8, 16)] {
        let config = config(text, sessions);
        let mut dut = dma_bench::build(&config);
        dut.reset();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let at_work = AtWork::Decode((1 << sessions) - 1 - 2);
        let pass = Pass {
            at_work,
            bases: state_bases(&mut rng, sessions, at_work, STATE_UNITS),
            states: (0..sessions).map(|_| units(&mut rng, STATE_UNITS)).collect(),
            ..Pass::random(&mut rng, sessions)
        };
        let heads = 10;
        let of = |head| at_work.slots().into_iter().map(move |s| (head, s));
        let reads = (0..heads).flat_map(of).map(|(head, s)| pass.of_state(To::State, s, head * len, len)).collect();
        let fields = vec![("kind", dma_kind::STATE as i64), ("len", len as i64), ("cols", heads as i64)];
        let place = format!("{sessions} sessions, {} bits", config.bus_bits);
        let r = Run { place: place.clone(), p_instr: 1.0, p_room: [1.0; 3], p_error: 0.0 };
        pass.drive(&mut dut, &config);
        let memory = pass.memory(MemoryTiming::of(&config, 0.0, 0));
        let out = run(&mut dut, &config, memory, &[Instr { fields, reads, runs: vec![] }], &r, &mut rng);
        let out = out.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(out.gaps, 0, "{place}: cycles without a beat");
    }
}

/// What only several states in memory have can break, and is found.
#[test]
fn a_wrong_slot_is_found() {
    let config = config(NANO, 4);
    for (file, from, to, says) in [
        // heads come slot by slot
        ("anser_state_order.sv", "if (turn) head_q <= next_head;", "head_q <= next_head;", "burst"),
        // a session vector of a slot at rest is read from its own base
        ("anser_state_order.sv", "(walk_i || !slots_i[slot_i])", "walk_i", "burst"),
        // a piece is made 0 if the next one is to be
        ("anser_dma.sv", "{c_zero_q, c_to_q", "{b_zero_q || (c_zero_q && 1'b0), c_to_q", "beat"),
        // slots 2 and 3 take the rows of 0 and 1
        (
            "anser_dma.sv",
            "a_slot_q <= instr_i[anser_pkg::DMA_SLOT_LSB +: SLOT_BITS]",
            "a_slot_q <= {1'b0, instr_i[anser_pkg::DMA_SLOT_LSB]}",
            "burst",
        ),
    ] {
        let mut printed = print(&dma(&config)).unwrap();
        let text = printed.files.get_mut(file).unwrap_or_else(|| panic!("no {file}"));
        assert!(text.contains(from), "{file} has changed: choose another line to break");
        *text = text.replace(from, to);
        let found = passes(&config, &printed, 40).err();
        assert!(found.as_ref().is_some_and(|f| f.contains(says)), "{file}, {to}: {found:?}");
    }
}
