//! The stream reader alone, over the simulated memory: which beats go where, the AXI rules (checked by the memory),
//! bursts in flight, errors, and that neither latency nor the next instruction costs a beat.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::dma::dma;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use rtl_gen::isa::{dma_kind, DMA};
use sim_harness::axi_memory::{AxiMemory, MemoryTiming, ReadAddress};
use sim_harness::dut::{BuildOptions, Dut};
use std::collections::VecDeque;

const BASE: u64 = 0x12_3456_7040 & !63;
const UNITS: u64 = 4096;

fn config(name: &str) -> Config {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    Config::load(&dir.join(format!("{name}.toml"))).unwrap()
}

fn build(config: &Config) -> Dut {
    Dut::build(&print(&dma(config)).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    kind: u64,
    /// Of a piece by columns: units of one.
    len: u64,
    addr: u64,
    /// By columns: which are read.
    columns: u64,
}

impl Piece {
    /// Runs `(first, len)` of the columns to read.
    fn runs(&self) -> Vec<(u64, u64)> {
        let mut runs: Vec<(u64, u64)> = vec![];
        for c in (0..64).filter(|c| self.kind == dma_kind::COLUMNS && self.columns >> c & 1 == 1) {
            match runs.last_mut() {
                Some((first, len)) if *first + *len == c && c % 16 != 0 => *len += 1,
                _ => runs.push((c, 1)),
            }
        }
        runs
    }

    /// Units `(first, len)` of the image that are read.
    fn reads(&self, token: u64) -> Vec<(u64, u64)> {
        match self.kind {
            dma_kind::EMBEDDING => vec![(self.addr + token * self.len, self.len)],
            dma_kind::COLUMNS => {
                self.runs().iter().map(|(first, len)| (self.addr + first * self.len, len * self.len)).collect()
            }
            _ => vec![(self.addr, self.len)],
        }
    }
}

/// Probabilities of one run and what it is called in messages.
struct Run {
    place: String,
    token: u64,
    p_instr: f64,
    p_weights: f64,
    p_params: f64,
    /// Probability that a beat carries an error response.
    p_error: f64,
}

struct Outcome {
    cycles: u64,
    beats: u64,
    most_in_flight: usize,
    /// Cycles between the first and the last beat without one.
    gaps: u64,
}

/// Runs `pieces`; every beat that leaves must be the next one of its fifo's expected bytes.
fn run(
    dut: &mut Dut,
    config: &Config,
    image: &[u8],
    timing: MemoryTiming,
    pieces: &[Piece],
    r: &Run,
    rng: &mut ChaCha8Rng,
) -> Outcome {
    let port = |n: &str| dut.port(n).unwrap();
    let (iv, ir, instr) = (port("instr_valid_i"), port("instr_ready_o"), port("instr_i"));
    let (wv, wr, wd) = (port("w_valid_o"), port("w_ready_i"), port("w_data_o"));
    let (pv, pr, pd) = (port("p_valid_o"), port("p_ready_i"), port("p_data_o"));
    let (done, error, idle, refused, beat) =
        (port("done_o"), port("error_o"), port("idle_o"), port("refused_o"), port("beat_o"));
    let refused_param = port("refused_param_o");
    let ar =
        ["araddr_o", "arlen_o", "arsize_o", "arburst_o", "arvalid_o", "arready_i"].map(|n| port(&format!("m_axi_{n}")));
    let rd = ["rdata_i", "rresp_i", "rlast_i", "rvalid_i", "rready_o"].map(|n| port(&format!("m_axi_{n}")));
    let (base, token) = (port("image_base_i"), port("token_i"));
    let scan = ["scan_o", "scan_x_addr_o", "scan_cols_o"].map(port);
    let run = ["run_valid_i", "run_ready_o", "run_first_i", "run_len_i", "run_last_i"].map(port);
    dut.set(base, BASE >> 6);
    dut.set(token, r.token);

    let bytes = config.beat_bytes();
    let mut expected: [Vec<&[u8]>; 2] = [vec![], vec![]];
    let mut ends = vec![0u64]; // beats after which each piece is finished
    for p in pieces {
        let mut units = 0;
        for (unit, len) in p.reads(r.token) {
            let at = unit as usize * 64..(unit + len) as usize * 64;
            let fifo = usize::from(p.kind != dma_kind::WEIGHTS && p.kind != dma_kind::COLUMNS);
            expected[fifo].extend(image[at].chunks(bytes));
            units += len;
        }
        ends.push(ends[ends.len() - 1] + units * 64 / bytes as u64);
    }
    let mut runs: VecDeque<(u64, u64)> = VecDeque::new();
    let mut offered_run = false;
    let total = ends[ends.len() - 1];
    let mut memory = AxiMemory::new(image, BASE, timing);
    let (mut next, mut finished, mut taken, mut beats) = (0, 0, [0usize; 2], 0u64);
    let (mut most_in_flight, mut gaps, mut gap) = (0, 0, 0);
    let mut offered = false; // an instruction is on offer
    let mut resp = None; // response of the beat on offer, kept while it waits
    let mut words = vec![0u32; bytes / 4];
    for cycle in 0..2_000_000 {
        let place = format!("{} cycle {cycle}", r.place);
        // a valid instruction stays until it is taken
        offered = next < pieces.len() && (offered || rng.gen_bool(r.p_instr));
        if offered {
            let p = pieces[next];
            let fields = [
                ("kind", p.kind as i64),
                ("len", p.len as i64),
                ("addr", p.addr as i64),
                ("last", next as i64 % 2),
                ("x_addr", next as i64),
                ("cols", next as i64 + 1000),
            ];
            dut.set_wide(instr, &DMA.encode(&fields).unwrap());
        }
        dut.set(iv, u64::from(offered));
        offered_run = !runs.is_empty() && (offered_run || rng.gen_bool(r.p_instr));
        dut.set(run[0], u64::from(offered_run));
        if let Some((first, len)) = runs.front() {
            dut.set(run[2], *first);
            dut.set(run[3], *len);
            dut.set(run[4], u64::from(runs.len() == 1));
        }
        dut.set(wr, u64::from(rng.gen_bool(r.p_weights)));
        dut.set(pr, u64::from(rng.gen_bool(r.p_params)));
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
        }
        dut.clock_low().unwrap();

        let accepted = offer.is_some() && dut.get(rd[4]) == 1;
        assert_eq!(dut.get(beat) == 1, accepted, "{place}: beat_o");
        assert_eq!(dut.get(refused) == 1, offer.is_some() && !accepted, "{place}: refused_o");
        assert!(dut.get(refused_param) == 0 || (dut.get(refused) == 1 && dut.get(pr) == 0), "{place}: refused_param_o");
        assert!(dut.get(refused) == dut.get(refused_param) || dut.get(wr) == 0, "{place}: refused, not for params");
        assert_eq!(dut.get(error) == 1, accepted && resp != Some(0), "{place}: error_o");
        assert!(dut.get(idle) == 0 || memory.outstanding() == 0, "{place}: idle with bursts in flight");
        let mut left = 0;
        for (f, (v, rdy, data)) in [(wv, wr, wd), (pv, pr, pd)].into_iter().enumerate() {
            if dut.get(v) == 1 && dut.get(rdy) == 1 {
                dut.get_wide(data, &mut words);
                let got: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
                let want =
                    expected[f].get(taken[f]).unwrap_or_else(|| panic!("{place}: fifo {f}: more beats than asked for"));
                assert_eq!(got, *want, "{place}: fifo {f} beat {}", taken[f]);
                taken[f] += 1;
                left += 1;
            }
        }
        assert_eq!(left, u64::from(accepted), "{place}: a beat goes to exactly one fifo");
        if accepted {
            (beats, resp) = (beats + 1, None);
            (gaps, gap) = (gaps + gap, 0);
        } else if beats > 0 {
            gap += 1;
        }
        if dut.get(done) == 1 {
            finished += 1;
            assert_eq!(beats, ends[finished], "{place}: done of instruction {}", finished - 1);
        }
        if finished == pieces.len() {
            assert_eq!(beats, total, "{place}");
            dut.clock_high().unwrap();
            dut.set(iv, 0);
            return Outcome { cycles: cycle + 1, beats, most_in_flight, gaps };
        }
        let address = (dut.get(ar[4]) == 1).then(|| ReadAddress {
            addr: dut.get(ar[0]),
            len: dut.get(ar[1]) as u8,
            size: dut.get(ar[2]) as u8,
            burst: dut.get(ar[3]) as u8,
        });
        memory.sample(address, dut.get(rd[4]) == 1).unwrap_or_else(|e| panic!("{place}: {e}"));
        if offered_run && dut.get(run[1]) == 1 {
            runs.pop_front();
            offered_run = false;
        }
        let begins = offered && dut.get(ir) == 1;
        assert_eq!(dut.get(scan[0]) == 1, begins && pieces[next].kind == dma_kind::COLUMNS, "{place}: scan_o");
        if begins && pieces[next].kind == dma_kind::COLUMNS {
            assert!(runs.is_empty(), "{place}: runs left over");
            runs.extend(pieces[next].runs());
            assert_eq!((dut.get(scan[1]), dut.get(scan[2])), (next as u64, next as u64 + 1000), "{place}: scan");
        }
        if begins {
            (next, offered) = (next + 1, false);
        }
        most_in_flight = most_in_flight.max(memory.outstanding());
        dut.clock_high().unwrap();
    }
    panic!("{}: not finished; {beats} of {total} beats, {finished} of {} instructions", r.place, pieces.len());
}

fn image(rng: &mut ChaCha8Rng) -> Vec<u8> {
    (0..UNITS * 64).map(|_| rng.gen()).collect()
}

fn pieces(rng: &mut ChaCha8Rng, token: u64) -> Vec<Piece> {
    (0..rng.gen_range(1..30))
        .map(|_| {
            let kind = rng.gen_range(0..4);
            let len = match rng.gen_range(0..10) {
                0 => 0,
                1..=4 => rng.gen_range(1..4),
                5..=7 => rng.gen_range(1..40),
                _ => rng.gen_range(1..300),
            };
            let (len, room) =
                if kind == dma_kind::EMBEDDING { (len.min(50), len.min(50) * (token + 1)) } else { (len, len) };
            if kind == dma_kind::COLUMNS {
                let density = [rng.gen(), rng.gen::<u64>() & rng.gen::<u64>() & rng.gen::<u64>(), u64::MAX];
                let one = 1 << rng.gen_range(0..64);
                let (len, columns) = (rng.gen_range(1..=12), density[rng.gen_range(0..3)] | one);
                return Piece { kind, len, addr: rng.gen_range(0..=UNITS - 64 * len), columns };
            }
            Piece { kind, len, addr: rng.gen_range(0..=UNITS - room), columns: 0 }
        })
        .collect()
}

fn check(name: &str, change: impl Fn(&mut Config)) {
    let mut config = config(name);
    change(&mut config);
    let mut dut = build(&config);
    dut.reset();
    let mut most = 0;
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let image = image(&mut rng);
        let token = rng.gen_range(0..40);
        let pieces = pieces(&mut rng, token);
        let mut timing = MemoryTiming::of(&config, rng.gen_range(0.0..0.7), seed);
        timing.latency_cycles = rng.gen_range(1..80);
        let r = Run {
            place: format!("{name} seed {seed}"),
            token,
            p_instr: rng.gen_range(0.1..1.0),
            p_weights: rng.gen_range(0.2..1.0),
            p_params: rng.gen_range(0.2..1.0),
            p_error: if seed % 4 == 0 { 0.1 } else { 0.0 },
        };
        let outcome = run(&mut dut, &config, &image, timing, &pieces, &r, &mut rng);
        most = most.max(outcome.most_in_flight);
    }
    assert_eq!(most, config.max_outstanding, "{name}: bursts in flight at most");
}

#[test]
fn beats_reach_their_fifo_in_order() {
    check("nano", |_| {});
    check("wide", |_| {});
}

#[test]
fn odd_limits_are_kept() {
    // not a power of two: bursts of at most 4, three in flight
    check("nano", |c| (c.max_burst_beats, c.max_outstanding) = (5, 3));
    check("wide", |c| (c.max_burst_beats, c.max_outstanding, c.axi_addr_bits) = (1, 2, 64));
}

#[test]
fn latency_costs_no_beat() {
    for (name, latency) in [("nano", 40), ("nano", 200), ("wide", 40)] {
        let config = config(name);
        let mut dut = build(&config);
        dut.reset();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let image = image(&mut rng);
        // pieces that start and end anywhere, of both kinds, one after the other
        let mut at = 5;
        let pieces: Vec<Piece> = (0..24)
            .map(|i| {
                let len = 32 + 7 * (i % 5);
                at += len;
                Piece { kind: i % 2, len, addr: at - len, columns: 0 }
            })
            .collect();
        let timing = MemoryTiming {
            latency_cycles: latency,
            bytes_per_cycle: config.beat_bytes() as f64,
            ..MemoryTiming::of(&config, 0.0, 0)
        };
        let r = Run {
            place: format!("{name} latency {latency}"),
            token: 0,
            p_instr: 1.0,
            p_weights: 1.0,
            p_params: 1.0,
            p_error: 0.0,
        };
        let o = run(&mut dut, &config, &image, timing, &pieces, &r, &mut rng);
        eprintln!(
            "{name}, latency {latency}: {} beats in {} cycles, {} without a beat after the first",
            o.beats, o.cycles, o.gaps
        );
        assert_eq!(o.gaps, 0, "{}", r.place);
        assert!(o.cycles <= o.beats + u64::from(latency) + 5, "{}: {} cycles for {} beats", r.place, o.cycles, o.beats);
    }
}

#[test]
fn the_next_instruction_costs_no_beat() {
    // two beats an instruction, in one burst: an address every other cycle, in flight long enough to hide the latency
    let mut config = config("wide");
    config.max_outstanding = 32;
    let mut dut = build(&config);
    dut.reset();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let image = image(&mut rng);
    let pieces: Vec<Piece> = (0..200).map(|i| Piece { kind: i % 2, len: 2, addr: 4 * i, columns: 0 }).collect();
    let timing = MemoryTiming { latency_cycles: 20, ..MemoryTiming::of(&config, 0.0, 0) };
    let r = Run { place: "short pieces".into(), token: 0, p_instr: 1.0, p_weights: 1.0, p_params: 1.0, p_error: 0.0 };
    let o = run(&mut dut, &config, &image, timing, &pieces, &r, &mut rng);
    assert_eq!((o.beats, o.gaps), (400, 0));
}
