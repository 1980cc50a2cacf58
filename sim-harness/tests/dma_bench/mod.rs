//! The stream reader over the simulated memory, which checks the AXI rules: what each instruction must read is given by the test, and
//! every burst and every beat is compared with it.

#![allow(dead_code)] // every test file compiles it for itself and uses some of it

use crate::bursts::{self, holds};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::dma::dma;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use rtl_gen::isa::DMA;
use sim_harness::axi_memory::{AxiMemory, ReadAddress};
use sim_harness::dut::{BuildOptions, Dut, Port};
use std::collections::VecDeque;

/// Where the image lies in memory.
pub const BASE: u64 = 0x12_3456_7040 & !63;

/// The port at which a beat leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Weights,
    Params,
    /// To wkv; state in memory only.
    State,
}

/// A stretch of memory that is read at once.
#[derive(Clone, Debug)]
pub struct Read {
    pub to: To,
    /// In bytes.
    pub addr: u64,
    /// What must leave: what lies there, or zeros.
    pub bytes: Vec<u8>,
}

/// An instruction and what it must do.
#[derive(Clone, Debug)]
pub struct Instr {
    /// Fields by their names in `rtl_gen::isa`.
    pub fields: Vec<(&'static str, i64)>,
    pub reads: Vec<Read>,
    /// Runs `(first, len)` of the columns to read; empty but for COLUMNS.
    pub runs: Vec<(u64, u64)>,
}

impl Instr {
    fn field(&self, name: &str) -> u64 {
        self.fields.iter().find(|f| f.0 == name).map_or(0, |f| f.1 as u64)
    }
}

/// Runs `(first, len)` of the set bits of `columns`: of neighbours, cut at multiples of 16.
pub fn runs(columns: u64) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = vec![];
    for c in (0..64).filter(|c| columns >> c & 1 == 1) {
        match runs.last_mut() {
            Some((first, len)) if *first + *len == c && c % 16 != 0 => *len += 1,
            _ => runs.push((c, 1)),
        }
    }
    runs
}

/// Probabilities of one run and what it is called in messages.
pub struct Run {
    pub place: String,
    pub p_instr: f64,
    /// That each of [`To`] has room.
    pub p_room: [f64; 3],
    /// That a beat carries an error response.
    pub p_error: f64,
}

pub struct Outcome {
    pub cycles: u64,
    pub beats: u64,
    pub most_in_flight: usize,
    /// Cycles between the first and the last beat without one.
    pub gaps: u64,
}

pub fn build(config: &Config) -> Dut {
    Dut::build(&print(&dma(config)).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs `instrs` over `memory` to the end. The inputs that stay as they are in a pass are set before.
///
/// # Errors
/// The first thing that is not as expected: a burst, where a beat went, what it carried, a pulse, a rule of AXI.
pub fn run(
    dut: &mut Dut,
    config: &Config,
    mut memory: AxiMemory,
    instrs: &[Instr],
    r: &Run,
    rng: &mut ChaCha8Rng,
) -> Result<Outcome, String> {
    let port = |n: &str| dut.port(n).unwrap();
    let [iv, ir, instr] = ["instr_valid_i", "instr_ready_o", "instr_i"].map(port);
    let mut ways: Vec<(To, [Port; 3])> = vec![
        (To::Weights, ["w_valid_o", "w_ready_i", "w_data_o"].map(port)),
        (To::Params, ["p_valid_o", "p_ready_i", "p_data_o"].map(port)),
    ];
    if config.streams_state() {
        ways.push((To::State, ["s_valid_o", "s_ready_i", "s_data_o"].map(port)));
    }
    let [done, error, idle, beat_o] = ["done_o", "error_o", "idle_o", "beat_o"].map(port);
    let [refused, refused_param] = ["refused_o", "refused_param_o"].map(port);
    let ar =
        ["araddr_o", "arlen_o", "arsize_o", "arburst_o", "arvalid_o", "arready_i"].map(|n| port(&format!("m_axi_{n}")));
    let rd = ["rdata_i", "rresp_i", "rlast_i", "rvalid_i", "rready_o"].map(|n| port(&format!("m_axi_{n}")));
    let scan = ["scan_o", "scan_x_addr_o", "scan_cols_o"].map(port);
    let run = ["run_valid_i", "run_ready_o", "run_first_i", "run_len_i", "run_last_i"].map(port);

    let bytes = config.beat_bytes();
    let reads = || instrs.iter().flat_map(|i| &i.reads);
    let bursts: Vec<_> = reads().flat_map(|read| bursts::cut(config, read.addr, read.bytes.len() as u64)).collect();
    let beats: Vec<_> = reads().flat_map(|read| read.bytes.chunks(bytes).map(|data| (read.to, data))).collect();
    let mut ends = vec![0]; // beats after which each instruction is finished
    for i in instrs {
        ends.push(ends[ends.len() - 1] + i.reads.iter().map(|read| read.bytes.len() / bytes).sum::<usize>());
    }
    let limit = 20_000 + 60 * beats.len() as u64 + 1_000 * instrs.len() as u64;
    let (mut next, mut finished, mut taken, mut asked) = (0, 0, 0, 0);
    let mut out = Outcome { cycles: 0, beats: beats.len() as u64, most_in_flight: 0, gaps: 0 };
    let mut columns: VecDeque<(u64, u64)> = VecDeque::new();
    let (mut offered, mut offered_run, mut gap) = (false, false, 0);
    let mut resp = None; // response of the beat on offer, kept while it waits
    let mut words = vec![0u32; bytes / 4];
    for cycle in 0..limit {
        let place = format!("{} cycle {cycle}", r.place);
        // a valid instruction stays until it is taken; what is not valid is anything
        offered = next < instrs.len() && (offered || rng.gen_bool(r.p_instr));
        dut.set(iv, u64::from(offered));
        match offered {
            true => dut.set_wide(instr, &DMA.encode(&instrs[next].fields).unwrap()),
            false => dut.set_wide(instr, &rng.gen::<[u32; 4]>()),
        }
        offered_run = !columns.is_empty() && (offered_run || rng.gen_bool(r.p_instr));
        dut.set(run[0], u64::from(offered_run));
        if let Some((first, len)) = columns.front() {
            dut.set(run[2], *first);
            dut.set(run[3], *len);
            dut.set(run[4], u64::from(columns.len() == 1));
        }
        for ((_, way), p) in ways.iter().zip(r.p_room) {
            dut.set(way[1], u64::from(rng.gen_bool(p)));
        }
        let (arready, offer) = memory.drive();
        dut.set(ar[5], u64::from(arready));
        dut.set(rd[3], u64::from(offer.is_some()));
        if let Some(b) = offer {
            for (w, c) in words.iter_mut().zip(b.data().chunks(4)) {
                *w = u32::from_le_bytes(c.try_into().unwrap());
            }
            dut.set_wide(rd[0], &words);
            dut.set(rd[2], u64::from(b.last));
            let resp = *resp.get_or_insert_with(|| if rng.gen_bool(r.p_error) { rng.gen_range(2..4u64) } else { 0 });
            dut.set(rd[1], resp);
        } else {
            dut.set(rd[1], rng.gen_range(0..4));
            dut.set(rd[2], rng.gen_range(0..2));
        }
        dut.clock_low().unwrap();

        let accepted = offer.is_some() && dut.get(rd[4]) == 1;
        let to = beats.get(taken).filter(|_| offer.is_some()).map(|b| b.0); // where the beat on offer must go
        holds!(place, (dut.get(beat_o) == 1) == accepted, "beat_o");
        holds!(place, (dut.get(refused) == 1) == (offer.is_some() && !accepted), "refused_o");
        let param = dut.get(refused) == 1 && to != Some(To::Weights);
        holds!(place, (dut.get(refused_param) == 1) == param, "refused_param_o, and the beat goes to {to:?}");
        holds!(place, (dut.get(error) == 1) == (accepted && resp != Some(0)), "error_o");
        holds!(place, dut.get(idle) == 0 || memory.outstanding() == 0, "idle with bursts in flight");
        for (way, [valid, ready, data]) in &ways {
            holds!(place, (dut.get(*valid) == 1) == (to == Some(*way)), "a beat for {to:?}, and {way:?} valid or not");
            if to == Some(*way) {
                holds!(
                    place,
                    accepted == (dut.get(*ready) == 1),
                    "beat {taken}: {way:?} has room, or the beat is taken"
                );
                dut.get_wide(*data, &mut words);
                let got: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
                holds!(
                    place,
                    got == beats[taken].1,
                    "beat {taken}, for {way:?}: {got:x?}, expected {:x?}",
                    beats[taken].1
                );
            }
        }
        if accepted {
            (taken, resp) = (taken + 1, None);
            (out.gaps, gap) = (out.gaps + gap, 0);
        } else if taken > 0 {
            gap += 1;
        }
        if dut.get(done) == 1 {
            finished += 1;
            let end = ends.get(finished).copied();
            holds!(place, end == Some(taken), "done of instruction {}: {taken} beats, expected {end:?}", finished - 1);
        }
        let address = (dut.get(ar[4]) == 1).then(|| ReadAddress {
            addr: dut.get(ar[0]),
            len: dut.get(ar[1]) as u8,
            size: dut.get(ar[2]) as u8,
            burst: dut.get(ar[3]) as u8,
        });
        if let Some(a) = address {
            let got = (a.addr, u64::from(a.len) + 1);
            holds!(
                place,
                bursts.get(asked) == Some(&got),
                "burst {asked}: {got:x?}, expected {:x?}",
                bursts.get(asked)
            );
            asked += usize::from(arready);
        }
        memory.sample(address, dut.get(rd[4]) == 1).map_err(|e| format!("{place}: {e}"))?;
        if offered_run && dut.get(run[1]) == 1 {
            columns.pop_front();
            offered_run = false;
        }
        let begins = offered && dut.get(ir) == 1;
        let scans = begins && !instrs[next].runs.is_empty();
        holds!(place, (dut.get(scan[0]) == 1) == scans, "scan_o");
        if scans {
            holds!(place, columns.is_empty(), "runs left over");
            columns.extend(&instrs[next].runs);
            holds!(place, dut.get(scan[1]) == instrs[next].field("x_addr"), "scan_x_addr_o");
            holds!(place, dut.get(scan[2]) == instrs[next].field("cols"), "scan_cols_o");
        }
        if begins {
            (next, offered) = (next + 1, false);
        }
        out.most_in_flight = out.most_in_flight.max(memory.outstanding());
        dut.clock_high().unwrap();
        if finished == instrs.len() {
            holds!(place, (taken, asked) == (beats.len(), bursts.len()), "{taken} beats of {asked} bursts");
            dut.set(iv, 0);
            out.cycles = cycle + 1;
            return Ok(out);
        }
    }
    let (total, n) = (beats.len(), instrs.len());
    Err(format!("{}: not finished; {taken} of {total} beats, {finished} of {n} instructions", r.place))
}
