//! The mapped netlist on the bench of the co-simulation: the same host, the same memory, the same tokens.
//!
//! `anser_top` has no trace ports, so what is compared is all that leaves the chip and every counter a host can read: the
//! token, each logit, saturations, cycles and stalls of every token, and the address, length and cycle of every read burst.

use crate::flat::Circuit;
use crate::interpret::Interpreter;
use crate::library::Cells;
use crate::netlist::Netlist;
use crate::{simulate, Error};
use power::activity::Measured;
use records::power::ReplayRecord;
use rtl_gen::config::Config;
use rtl_gen::hdl::Printed;
use sim_harness::axi_memory::MemoryStats;
use sim_harness::dut::{Dut, Model, ModelPort};
use sim_harness::lockstep::OpNames;
use sim_harness::session::{Session, SessionError, SessionOptions, TokenOptions, TokenResult};
use sim_harness::verilate::{BuildOptions, Progress};
use std::sync::{Arc, Mutex};

/// The results of the RTL, with which the netlist is compared.
pub struct Expected {
    /// Tokens at the front that are compared but not counted
    pub warm_up: usize,
    pub tokens_in: Vec<u32>,
    pub results: Vec<TokenResult>,
    pub memory: MemoryStats,
}

/// The configuration, image and programs of the bench.
pub struct Bench<'a> {
    pub config: &'a Config,
    pub image: &'a [u8],
    pub programs: &'a [Vec<Vec<u32>>; 4],
    /// Tokens of the vocabulary.
    pub tokens: usize,
    pub names: Arc<OpNames>,
}

/// Mismatches that the record describes in words.
const IN_WORDS: usize = 8;

/// Runs the tokens of `expected` in Verilator, without counting: an independent simulator of the same netlist.
pub fn verilated(
    netlist: &Netlist,
    cells: &Cells,
    rtl: &Printed,
    bench: &Bench,
    expected: &Expected,
    progress: Option<Progress>,
) -> Result<ReplayRecord, Error> {
    let design = simulate::printed(netlist, cells, rtl)?;
    let options = BuildOptions { netlist: true, progress, ..BuildOptions::default() };
    Ok(run(Dut::build(&design, &options)?, bench, expected, &mut |_| ())?)
}

/// Runs the tokens of `expected` in the netlist simulator of this crate and counts every net's toggles during all but the
/// first `warm_up` of them. `progress` is told now and then how many cycles are done, those of loading the programs included.
pub fn counted(
    netlist: &Netlist,
    cells: &Cells,
    bench: &Bench,
    expected: &Expected,
    clock_mhz: f64,
    progress: Cycles,
) -> Result<(ReplayRecord, Measured), Error> {
    let interpreter = Arc::new(Mutex::new(Interpreter::new(Circuit::new(netlist, cells)?)));
    let lock = || interpreter.lock().unwrap_or_else(|e| e.into_inner());
    // SAFETY: the interpreter stays in this function, which only starts and stops its counters.
    let shared = unsafe { Shared::new(interpreter.clone(), progress) };
    let dut = Dut::from_model(Box::new(shared), &netlist.top);
    let record = run(dut, bench, expected, &mut |token| {
        if token == expected.warm_up {
            lock().start_counting();
        }
    })?;
    let measured = lock().stop_counting(clock_mhz).ok_or(Error::NothingCounted)?;
    Ok((record, measured))
}

/// Receives the number of simulated cycles now and then.
pub type Cycles = Arc<dyn Fn(u64) + Send + Sync>;

/// The simulator on the bench, shared with the caller who starts and stops its counters.
pub struct Shared {
    interpreter: Arc<Mutex<Interpreter>>,
    progress: Cycles,
    /// Two a cycle
    evaluations: u64,
}

impl Shared {
    /// Puts `interpreter` on a bench; `progress` receives the number of simulated cycles now and then.
    ///
    /// # Safety
    /// While a [`Dut`] made from the result lives, the caller calls neither [`Model::ports`] nor [`Model::eval`] of
    /// `interpreter`: the `Dut` accesses the ports without taking the lock.
    pub unsafe fn new(interpreter: Arc<Mutex<Interpreter>>, progress: Cycles) -> Shared {
        Shared { interpreter, progress, evaluations: 0 }
    }
}

// SAFETY: all accesses to the ports are those of the interpreter, and `Shared::new` demands that nobody else evaluates it.
unsafe impl Model for Shared {
    fn ports(&mut self) -> Vec<ModelPort> {
        self.interpreter.lock().unwrap_or_else(|e| e.into_inner()).ports()
    }

    fn eval(&mut self) -> Result<(), String> {
        self.evaluations += 1;
        if self.evaluations.is_multiple_of(256) {
            (self.progress)(self.evaluations / 2);
        }
        self.interpreter.lock().unwrap_or_else(|e| e.into_inner()).eval()
    }
}

/// Loads, clears, and runs every token; calls `before` with the number of each.
fn run(
    dut: Dut,
    bench: &Bench,
    expected: &Expected,
    before: &mut dyn FnMut(usize),
) -> Result<ReplayRecord, SessionError> {
    let began = std::time::Instant::now();
    let options = SessionOptions::default();
    let mut session = Session::new(dut, bench.config, bench.image, bench.names.clone(), options)?;
    session.load_programs(bench.programs, bench.tokens)?;
    session.clear()?;
    let mut record = ReplayRecord { warm_up: expected.warm_up, ..ReplayRecord::default() };
    for (i, (token, want)) in expected.tokens_in.iter().zip(&expected.results).enumerate() {
        before(i);
        let got = session.token(*token, None, TokenOptions { logits: true, timeline: false })?;
        if i >= expected.warm_up {
            record.tokens += 1;
            record.cycles += got.counters.cycles;
        }
        compare(&mut record, i, want, &got);
    }
    let (want, got) = (expected.memory, session.memory_stats());
    check(&mut record, "bursts read", want.bursts, got.bursts);
    check(&mut record, "beats read", want.beats, got.beats);
    check(&mut record, "digest of addresses and their cycles", want.address_digest, got.address_digest);
    record.seconds = began.elapsed().as_secs_f64();
    Ok(record)
}

fn compare(record: &mut ReplayRecord, i: usize, want: &TokenResult, got: &TokenResult) {
    let (w, g) = (&want.counters, &got.counters);
    for (what, want, got) in [
        ("token out", u64::from(want.token_out), u64::from(got.token_out)),
        ("cycles", w.cycles, g.cycles),
        ("saturations counted by mat", w.sat_mat, g.sat_mat),
        ("saturations counted by vec", w.sat_vec, g.sat_vec),
        ("saturations counted by wkv", w.sat_wkv, g.sat_wkv),
        ("weight beats", w.weight_beats, g.weight_beats),
        ("number of logits", want.logits.len() as u64, got.logits.len() as u64),
    ] {
        check(record, &format!("token {i}: {what}"), want, got);
    }
    for (k, (want, got)) in w.stalls.iter().zip(&g.stalls).enumerate() {
        check(record, &format!("token {i}: stall counter {k}"), want, got);
    }
    for (k, (want, got)) in want.logits.iter().zip(&got.logits).enumerate() {
        check(record, &format!("token {i}: logit {k}"), want, got);
    }
}

/// Counts one comparison in `record`; of the first mismatches it keeps a sentence.
fn check<T: PartialEq + std::fmt::Display>(record: &mut ReplayRecord, what: &str, want: T, got: T) {
    record.values_compared += 1;
    if want != got {
        record.mismatches += 1;
        if record.first.len() < IN_WORDS {
            record.first.push(format!("{what}: the RTL gives {want}, the netlist {got}"));
        }
    }
}
