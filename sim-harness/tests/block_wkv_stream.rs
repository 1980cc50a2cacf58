//! The recurrence with its state in memory: words that come late, words that are not taken, y that is refused, all at random. Every state
//! word that leaves, its order, every y, the saturation count, the flush at the end and the rate.

mod common;
#[path = "wkv_bench/model.rs"]
#[allow(dead_code)] // the other bench compares more
mod model;

use model::{Instruction, Model, Values};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::wkv::{overhead_cycles, wkv};
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use sim_harness::dut::{BuildOptions, Dut};

/// Probabilities: a word is there, one that leaves is taken, a y is taken.
#[derive(Clone, Copy, Debug)]
struct Pace {
    come: f64,
    leave: f64,
    y: f64,
}

struct Bench {
    config: Config,
    dut: Dut,
    model: Model,
}

impl Bench {
    fn new(bus_bits: usize, state_bits: usize) -> Self {
        let mut config = Config::parse(&common::streamed(include_str!("../../configs/nano.toml")), "nano").unwrap();
        (config.bus_bits, config.numbers.state_bits) = (bus_bits, state_bits);
        (config.limits.state_elements, config.limits.state_fifo_beats) = (1 << 16, 16);
        let printed = print(&wkv(&config)).unwrap();
        let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        dut.reset();
        let model = Model::new(state_bits as u32, config.limits.state_elements);
        Bench { config, dut, model }
    }

    fn set(&mut self, port: &str, value: u64) {
        let port = self.dut.port(port).unwrap();
        self.dut.set(port, value);
    }

    fn load_operands(&mut self, rng: &mut ChaCha8Rng, elements: usize, values: Values) {
        self.model.draw(rng, elements, values);
        let vl = self.config.vlanes();
        let data_port = self.dut.port("kw_data_i").unwrap();
        for slot in 0..6 {
            self.set("kw_en_i", 1);
            self.set("kw_slot_i", slot as u64);
            for word in 0..elements / vl {
                let data = self.model.operand[slot][word * vl..][..vl].to_vec();
                self.set("kw_addr_i", word as u64);
                self.dut.set_lanes(data_port, 16, &data);
                self.dut.tick();
            }
            self.set("kw_en_i", 0);
            self.set("exp_we_i", 1);
            self.set("exp_slot_i", slot as u64);
            self.set("exp_i", self.model.exp[slot].into());
            self.dut.tick();
            self.set("exp_we_i", 0);
        }
    }

    /// Runs one instruction and gives its cycles.
    fn run(&mut self, rng: &mut ChaCha8Rng, instruction: &Instruction, pace: Pace, place: &str) -> u64 {
        let (vl, bits) = (self.config.vlanes(), self.config.stored_bits());
        let place = format!("{vl} lanes, {place}, {pace:?}, {instruction:?}");
        let words = instruction.rows() * instruction.head_words;
        let old: Vec<Vec<i32>> =
            self.model.state[instruction.s_addr * vl..][..words * vl].chunks(vl).map(<[i32]>::to_vec).collect();
        let expected = self.model.step(instruction, vl);
        let port = |n: &str| self.dut.port(n).unwrap();
        let [sv, sr, sd] = ["s_valid_i", "s_ready_o", "s_data_i"].map(port);
        let [ov, or, od, flush] = ["so_valid_o", "so_ready_i", "so_data_o", "so_flush_o"].map(port);
        let [yv, yr, yd, sat, done] = ["y_valid_o", "y_ready_i", "y_data_o", "sat_o", "done_o"].map(port);
        let [iv, ir, instr] = ["instr_valid_i", "instr_ready_o", "instr_i"].map(port);
        let code = instruction.encode(rng);
        let dut = &mut self.dut;
        dut.set_wide(instr, &code);
        let (mut come, mut left, mut y) = (0, 0, 0);
        let (mut offered, mut clips, mut started, mut done_at, mut flushed) = (false, 0, None, None, 0);
        for cycle in 0..200_000u64 {
            // state may come before the instruction does
            offered = come < words && (offered || rng.gen_bool(pace.come));
            dut.set(sv, offered.into());
            if offered {
                dut.set_lanes(sd, 32, &old[come]);
            }
            dut.set(iv, u64::from(started.is_none() && cycle > 20));
            let (take_word, take_y) = (rng.gen_bool(pace.leave), rng.gen_bool(pace.y));
            dut.set(or, take_word.into());
            dut.set(yr, take_y.into());
            dut.clock_low().unwrap();
            if started.is_none() && cycle > 20 && dut.get(ir) == 1 {
                started = Some(cycle);
            }
            if offered && dut.get(sr) == 1 {
                (come, offered) = (come + 1, false);
            }
            if dut.get(ov) == 1 && take_word {
                let got: Vec<i32> = (0..vl).map(|l| dut.lane(od, l, bits)).collect();
                assert!(left < words, "{place}: a word too many");
                assert_eq!(got, expected.s[left], "{place}: word {left} (left: RTL)");
                left += 1;
            }
            if dut.get(flush) == 1 {
                assert!(left == words && done_at.is_some(), "{place}: flush with {left} of {words} words out");
                flushed += 1;
            }
            if dut.get(yv) == 1 && take_y {
                assert_eq!(dut.get_signed(yd) as i32, expected.y[y], "{place}: y {y} (left: RTL)");
                y += 1;
            }
            clips += dut.get(sat);
            if dut.get(done) == 1 {
                assert!(done_at.is_none() && y == expected.y.len(), "{place}: done with {y} y");
                done_at = Some(cycle);
            }
            dut.clock_high().unwrap();
            if let (Some(end), 1, true) = (done_at, flushed, come == words) {
                if cycle > end + 3 {
                    assert_eq!(clips, expected.clips(), "{place}: saturations");
                    return end - started.unwrap_or(0);
                }
            }
        }
        panic!("{place}: {come} of {words} words in, {left} out, {y} y, flushed {flushed} times");
    }
}

fn check(bus_bits: usize, state_bits: usize, seed: u64) {
    let mut bench = Bench::new(bus_bits, state_bits);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let vl = bench.config.vlanes();
    for round in 0..30 {
        let head_size = [16, 32, 64][rng.gen_range(0..3)];
        let heads = rng.gen_range(1..=2);
        let values = [Values::Tame, Values::Wild, Values::Extreme][rng.gen_range(0..3)];
        bench.load_operands(&mut rng, heads * head_size, values);
        let instruction = Instruction::random(&mut rng, state_bits, values, heads, head_size, vl, 8 * (round % 2));
        let mut pick = || [1.0, 0.5, 0.1][rng.gen_range(0..3)];
        let pace = Pace { come: pick(), leave: pick(), y: pick() };
        bench.run(&mut rng, &instruction, pace, &format!("seed {seed} round {round}"));
    }
}

#[test]
fn four_lanes() {
    check(128, 24, 1);
    check(128, 32, 2);
}

#[test]
fn sixteen_lanes() {
    check(512, 17, 3);
}

/// If words are there and taken at once, the unit takes as long as with the state on the chip.
#[test]
fn one_word_a_cycle() {
    for bus_bits in [128, 512] {
        let mut bench = Bench::new(bus_bits, 24);
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let vl = bench.config.vlanes();
        bench.load_operands(&mut rng, 128, Values::Tame);
        let instruction = Instruction::random(&mut rng, 24, Values::Tame, 2, 64, vl, 0);
        let pace = Pace { come: 1.0, leave: 1.0, y: 1.0 };
        let cycles = bench.run(&mut rng, &instruction, pace, "full rate");
        let words = instruction.rows() * instruction.head_words;
        assert_eq!(cycles as usize, words + overhead_cycles(vl, instruction.head_words), "{vl} lanes");
    }
}
