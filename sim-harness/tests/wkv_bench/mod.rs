//! Bench of the recurrence unit: drives it, restates §4 of docs/hardware.md, compares.

mod model;

use model::{Expected, Model};
pub use model::{Instruction, Values};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use sim_harness::dut::{BuildOptions, Dut, Port};

/// What the checks met so far, so that a test can insist on having met it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub sa_clips: u64,
    pub s_clips: u64,
    pub y_clips: u64,
    /// Instructions without any saturation.
    pub exact: u64,
}

pub struct Bench {
    pub vl: usize,
    pub sw: usize,
    config: Config,
    dut: Dut,
    p: Ports,
    model: Model,
    seen: Seen,
    name: String,
}

/// Declares a struct with one port a field, found by the field's name.
macro_rules! ports {
    ($($name:ident)*) => {
        struct Ports { $($name: Port),* }
        impl Ports {
            fn of(dut: &Dut) -> Self {
                Ports { $($name: dut.port(stringify!($name)).unwrap_or_else(|e| panic!("{e}"))),* }
            }
        }
    };
}

ports! {
    instr_valid_i instr_ready_o instr_i instr_idx_i done_o kw_en_i kw_slot_i kw_addr_i kw_data_i exp_we_i exp_slot_i exp_i
    clear_i clear_busy_o y_valid_o y_ready_i y_addr_o y_data_o sat_o busy_o
    trace_wkv_s_valid_o trace_wkv_s_op_o trace_wkv_s_addr_o trace_wkv_s_data_o
    trace_wkv_sa_valid_o trace_wkv_sa_op_o trace_wkv_sa_row_o trace_wkv_sa_data_o
    trace_wkv_y_valid_o trace_wkv_y_op_o trace_wkv_y_row_o trace_wkv_y_data_o
}

/// One entry of a trace: `op`, address or row, value.
type Event = (u64, u64, Vec<i32>);

#[derive(Default)]
struct Got {
    s: Vec<Event>,
    sa: Vec<Event>,
    y: Vec<Event>,
    handed: Vec<(u64, i32)>,
    sat: u64,
}

impl Bench {
    pub fn new(bus_bits: usize, state_bits: usize) -> Self {
        let text = include_str!("../../../configs/nano.toml");
        let mut config = Config::parse(text, "nano").unwrap();
        config.bus_bits = bus_bits;
        config.numbers.state_bits = state_bits;
        config.limits.state_elements = 1 << 16;
        let printed = rtl_gen::hdl::print(&rtl_gen::blocks::wkv::wkv(&config)).unwrap();
        let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        let p = Ports::of(&dut);
        dut.reset();
        let (vl, sw) = (config.vlanes(), state_bits);
        let model = Model::new(sw as u32, config.limits.state_elements);
        Bench { vl, sw, config, dut, p, model, seen: Seen::default(), name: format!("{vl} lanes, {state_bits} bits") }
    }

    pub fn state_words(&self) -> usize {
        self.config.state_words()
    }

    pub fn n_embd(&self) -> usize {
        self.config.limits.n_embd
    }

    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Clears the state while idle; checks that it takes a cycle a word and that nothing is accepted meanwhile.
    pub fn clear(&mut self) {
        self.dut.set(self.p.clear_i, 1);
        self.dut.tick();
        self.dut.set(self.p.clear_i, 0);
        self.wait_clear();
        self.model.state.fill(0);
    }

    fn wait_clear(&mut self) {
        let mut cycles = 0;
        self.dut.eval();
        while self.dut.get(self.p.clear_busy_o) == 1 {
            assert_eq!(self.dut.get(self.p.instr_ready_o), 0, "{}: ready while clearing", self.name);
            self.dut.tick();
            cycles += 1;
            assert!(cycles <= self.state_words(), "{}: clearing does not end", self.name);
        }
        assert_eq!(cycles, self.state_words(), "{}: cycles of clearing", self.name);
    }

    /// Writes all six operands of `elements` elements, words in random order, and their exponents.
    pub fn load_operands(&mut self, rng: &mut ChaCha8Rng, elements: usize, values: Values) {
        self.model.draw(rng, elements, values);
        for slot in 0..6 {
            for word in 0..elements / self.vl {
                let data = self.model.operand[slot][word * self.vl..][..self.vl].to_vec();
                self.write_word(slot, word, &data);
            }
            self.write_exp(slot, self.model.exp[slot]);
        }
    }

    fn write_word(&mut self, slot: usize, word: usize, data: &[i32]) {
        let p = &self.p;
        self.dut.set(p.kw_en_i, 1);
        self.dut.set(p.kw_slot_i, slot as u64);
        self.dut.set(p.kw_addr_i, word as u64);
        self.dut.set_lanes(p.kw_data_i, 16, data);
        self.dut.tick();
        self.dut.set(p.kw_en_i, 0);
    }

    fn write_exp(&mut self, slot: usize, e: u32) {
        let p = &self.p;
        self.dut.set(p.exp_we_i, 1);
        self.dut.set(p.exp_slot_i, slot as u64);
        self.dut.set(p.exp_i, u64::from(e));
        self.dut.tick();
        self.dut.set(p.exp_we_i, 0);
    }

    /// Runs one instruction, `y_ready_i` high with probability `ready`, and compares everything it did. With `clear`, clears the
    /// state in the middle of it, which must wait for its end. Returns the cycles from the handshake to `done_o`.
    pub fn run(
        &mut self,
        rng: &mut ChaCha8Rng,
        instruction: &Instruction,
        ready: f64,
        clear: bool,
        place: &str,
    ) -> usize {
        let place = format!("{}, {place}, ready {ready}, {instruction:?}", self.name);
        let expected = self.model.step(instruction, self.vl);
        let op = rng.gen_range(0..4096u64);
        self.dut.eval();
        assert_eq!(self.dut.get(self.p.instr_ready_o), 1, "{place}: not ready while idle");
        let words = instruction.encode(rng);
        self.dut.set(self.p.instr_valid_i, 1);
        self.dut.set_wide(self.p.instr_i, &words);
        self.dut.set(self.p.instr_idx_i, op);
        let clear_at = if clear { rng.gen_range(1..200) } else { usize::MAX };
        let budget = 200 + ((expected.s.len() + instruction.rows() * 20) as f64 / ready) as usize;
        let mut got = Got::default();
        let mut cycles = 0;
        loop {
            let done = self.cycle(rng, ready, &mut got, &place);
            if cycles == 0 {
                self.dut.set(self.p.instr_valid_i, 0);
                self.dut.set_wide(self.p.instr_i, &[rng.gen(), rng.gen(), rng.gen(), rng.gen()]);
                self.dut.set(self.p.instr_idx_i, rng.gen_range(0..4096));
            }
            if done {
                break;
            }
            // exponents were taken in the first cycle: later ones belong to the next instruction
            self.dut.set(self.p.exp_we_i, u64::from(cycles > 0 && rng.gen_bool(0.1)));
            self.dut.set(self.p.exp_slot_i, rng.gen_range(0..8));
            self.dut.set(self.p.exp_i, rng.gen_range(0..32));
            self.dut.set(self.p.clear_i, u64::from(cycles == clear_at));
            cycles += 1;
            assert!(
                cycles < budget,
                "{place}: not done after {cycles} cycles, {} of {} y",
                got.y.len(),
                expected.y.len()
            );
        }
        self.dut.set(self.p.exp_we_i, 0);
        self.dut.set(self.p.clear_i, 0);
        if clear && clear_at < cycles {
            self.wait_clear();
            self.model.state.fill(0);
        }
        for _ in 0..rng.gen_range(0..4) {
            let done = self.cycle(rng, ready, &mut got, &place);
            assert!(!done && self.dut.get(self.p.busy_o) == 0, "{place}: done twice, or busy after done");
        }
        self.compare(&got, &expected, op, instruction, &place);
        self.seen.sa_clips += expected.sa_clips;
        self.seen.s_clips += expected.s_clips;
        self.seen.y_clips += expected.y_clips;
        self.seen.exact += u64::from(expected.clips() == 0);
        cycles
    }

    /// One cycle: what the unit shows is collected before the edge. Returns `done_o`.
    fn cycle(&mut self, rng: &mut ChaCha8Rng, ready: f64, got: &mut Got, place: &str) -> bool {
        let ready = rng.gen_bool(ready);
        let (dut, p) = (&mut self.dut, &self.p);
        dut.set(p.y_ready_i, u64::from(!ready));
        dut.clock_low().unwrap();
        let valid = dut.get(p.y_valid_o);
        dut.set(p.y_ready_i, u64::from(ready));
        dut.eval();
        assert_eq!(valid, dut.get(p.y_valid_o), "{place}: y_valid_o depends on y_ready_i");
        if dut.get(p.trace_wkv_s_valid_o) == 1 {
            let data = (0..self.vl).map(|lane| dut.lane(p.trace_wkv_s_data_o, lane, self.sw)).collect();
            got.s.push((dut.get(p.trace_wkv_s_op_o), dut.get(p.trace_wkv_s_addr_o), data));
        }
        if dut.get(p.trace_wkv_sa_valid_o) == 1 {
            let data = vec![dut.get_signed(p.trace_wkv_sa_data_o) as i32];
            got.sa.push((dut.get(p.trace_wkv_sa_op_o), dut.get(p.trace_wkv_sa_row_o), data));
        }
        if dut.get(p.trace_wkv_y_valid_o) == 1 {
            let data = vec![dut.get_signed(p.trace_wkv_y_data_o) as i32];
            got.y.push((dut.get(p.trace_wkv_y_op_o), dut.get(p.trace_wkv_y_row_o), data));
        }
        if valid == 1 && ready {
            got.handed.push((dut.get(p.y_addr_o), dut.get_signed(p.y_data_o) as i32));
        }
        got.sat += dut.get(p.sat_o);
        let done = dut.get(p.done_o) == 1;
        dut.clock_high().unwrap();
        done
    }

    fn compare(&self, got: &Got, expected: &Expected, op: u64, instruction: &Instruction, place: &str) {
        let numbered = |first: usize, values: &[Vec<i32>]| -> Vec<Event> {
            values.iter().enumerate().map(|(i, v)| (op, (first + i) as u64, v.clone())).collect()
        };
        let s: Vec<Vec<i32>> = expected.s.clone();
        let single = |values: &[i32]| values.iter().map(|&v| vec![v]).collect::<Vec<_>>();
        same("sa (op, row, value)", &got.sa, &numbered(0, &single(&expected.sa)), place);
        same("S (op, address, word)", &got.s, &numbered(instruction.s_addr, &s), place);
        same("y (op, row, value)", &got.y, &numbered(0, &single(&expected.y)), place);
        let handed: Vec<_> =
            expected.y.iter().enumerate().map(|(i, &v)| ((instruction.y_addr + i) as u64, v)).collect();
        same("y handed over (element, value)", &got.handed, &handed, place);
        assert_eq!(got.sat, expected.clips(), "{place}: saturations");
    }
}

/// Compares two lists and names the first difference.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &[T], expected: &[T], place: &str) {
    if let Some(i) = (0..got.len().min(expected.len())).find(|&i| got[i] != expected[i]) {
        panic!("{place}: {what}, entry {i}: got {:?}, expected {:?}", got[i], expected[i]);
    }
    assert_eq!(got.len(), expected.len(), "{place}: number of {what}");
}
