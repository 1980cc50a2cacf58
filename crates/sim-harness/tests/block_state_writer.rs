//! The writer of the state alone, over the simulated memory, which checks the AXI rules: what lies there afterwards, how it was cut into
//! bursts, when the writer says that all is written, and error responses.

mod common;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::dma::burst_beats;
use rtl_gen::blocks::state_writer::state_writer;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use sim_harness::axi_memory::{AxiMemory, MemoryTiming, ReadAddress};
use sim_harness::axi_write::WriteBeat;
use sim_harness::dut::{BuildOptions, Dut, Port};

/// Words that come one after the other from one side.
struct Piece {
    vector: bool,
    words: usize,
}

struct Run {
    place: String,
    base: u64,
    /// Probabilities of a word, and of an error response.
    p_word: f64,
    p_error: f64,
    timing: MemoryTiming,
}

struct Outcome {
    cycles: u64,
    bursts: u64,
    errors: u64,
}

fn config(text: &str, state_bits: usize, max_burst: usize, outstanding: usize) -> Config {
    let mut config = Config::parse(&common::streamed(text), "bench").unwrap();
    (config.numbers.state_bits, config.max_burst_beats, config.max_outstanding) = (state_bits, max_burst, outstanding);
    config
}

/// A beat in memory: 32 bits an element.
fn stored(word: &[i32]) -> Vec<u8> {
    word.iter().flat_map(|e| e.to_le_bytes()).collect()
}

fn element(rng: &mut ChaCha8Rng, bits: usize) -> i32 {
    (rng.gen::<i32>() >> (32 - bits)) >> rng.gen_range(0..bits)
}

fn run(dut: &mut Dut, config: &Config, pieces: &[Piece], r: &Run, rng: &mut ChaCha8Rng) -> Outcome {
    let port = |n: &str| dut.port(n).unwrap();
    let (start, base, idle, error) = (port("start_i"), port("base_i"), port("idle_o"), port("error_o"));
    let [rv, rr, rd, flush] = ["r_valid_i", "r_ready_o", "r_data_i", "r_flush_i"].map(port);
    let [vv, vr, vd, last] = ["v_valid_i", "v_ready_o", "v_data_i", "v_last_i"].map(port);
    let axi = |list: &[&str]| list.iter().map(|n| port(&format!("m_axi_{n}"))).collect::<Vec<Port>>();
    let aw = axi(&["awaddr_o", "awlen_o", "awsize_o", "awburst_o", "awvalid_o", "awready_i"]);
    let w = axi(&["wdata_o", "wstrb_o", "wlast_o", "wvalid_o", "wready_i"]);
    let b = axi(&["bresp_i", "bvalid_i", "bready_o"]);
    let (vl, bits, sw, bytes) = (config.vlanes(), config.stored_bits(), config.numbers.state_bits, config.beat_bytes());
    let total: usize = pieces.iter().map(|p| p.words).sum();
    let mut memory = AxiMemory::new(&[], 0, r.timing.clone());
    memory.add_region(r.base, total * bytes);

    dut.set(base, r.base >> 6);
    dut.set(start, 1);
    dut.tick();
    dut.set(start, 0);
    let mut expected: Vec<u8> = vec![];
    let (mut piece, mut done_words, mut flush_in) = (0, 0, None);
    let mut word: Option<Vec<i32>> = None;
    let mut resp = 0;
    let mut out = Outcome { cycles: 0, bursts: 0, errors: 0 };
    for cycle in 0..1_000_000u64 {
        let place = format!("{} cycle {cycle}", r.place);
        // the next piece begins when all of the last one is handed over, as the program's waits ensure
        if word.is_none() && piece < pieces.len() && flush_in.is_none() && rng.gen_bool(r.p_word) {
            let width = if pieces[piece].vector { 27 } else { sw };
            word = Some((0..vl).map(|_| element(rng, width)).collect());
        }
        let vector = piece < pieces.len() && pieces[piece].vector;
        let ends = piece < pieces.len() && done_words + 1 == pieces[piece].words;
        dut.set(rv, u64::from(word.is_some() && !vector));
        dut.set(vv, u64::from(word.is_some() && vector));
        dut.set(last, u64::from(ends));
        dut.set(flush, u64::from(flush_in == Some(0)));
        if let Some(word) = &word {
            dut.set_lanes(rd, bits, word);
            dut.set_lanes(vd, 27, word);
        }
        let _ = memory.drive();
        let slave = memory.drive_write();
        if !slave.bvalid || dut.get(b[1]) == 0 {
            resp = if rng.gen_bool(r.p_error) { rng.gen_range(2..4) } else { rng.gen_range(0..2) };
        }
        dut.set(aw[5], slave.awready.into());
        dut.set(w[4], slave.wready.into());
        dut.set(b[1], slave.bvalid.into());
        dut.set(b[0], resp);
        dut.clock_low().unwrap();

        let address = (dut.get(aw[4]) == 1).then(|| ReadAddress {
            addr: dut.get(aw[0]),
            len: dut.get(aw[1]) as u8,
            size: dut.get(aw[2]) as u8,
            burst: dut.get(aw[3]) as u8,
        });
        let data: Vec<u8> = (0..vl).flat_map(|l| dut.lane(w[0], l, 32).to_le_bytes()).collect();
        let beat =
            (dut.get(w[3]) == 1).then(|| WriteBeat { data: &data, strobes: dut.get(w[1]), last: dut.get(w[2]) == 1 });
        let answered = slave.bvalid && dut.get(b[2]) == 1;
        assert_eq!(dut.get(error) == 1, answered && resp >= 2, "{place}: error_o");
        out.errors += u64::from(answered && resp >= 2);
        let is_idle = dut.get(idle) == 1;
        memory.sample_write(address, beat, dut.get(b[2]) == 1).unwrap_or_else(|e| panic!("{place}: {e}"));
        memory.sample(None, false).unwrap();
        let taken = word.is_some() && dut.get(if vector { vr } else { rr }) == 1;
        if is_idle {
            let there = memory.region(r.base).unwrap();
            assert!(there[..expected.len()] == expected, "{place}: idle, and not all is in memory");
        }
        dut.clock_high().unwrap();
        flush_in = match flush_in {
            Some(n) if n > 0 => Some(n - 1),
            _ => None,
        };
        if taken {
            expected.extend(stored(&word.take().unwrap()));
            done_words += 1;
            if ends {
                (piece, done_words) = (piece + 1, 0);
                flush_in = (!vector).then(|| rng.gen_range(0..4));
            }
        }
        if is_idle && piece == pieces.len() && flush_in.is_none() && word.is_none() {
            dut.set(flush, 0);
            let stats = memory.stats();
            assert_eq!(stats.write_beats as usize, total, "{place}");
            (out.cycles, out.bursts) = (cycle, stats.write_bursts);
            return out;
        }
    }
    panic!("{}: never idle, {} of {total} words handed over", r.place, expected.len() / bytes);
}

/// Bursts that `pieces` from `base` on must be cut into.
fn cuts(config: &Config, base: u64, pieces: &[Piece]) -> u64 {
    let (burst, mut beat) = (burst_beats(config), base as usize / config.beat_bytes());
    let mut n = 0;
    for p in pieces {
        let end = beat + p.words;
        n += end.div_ceil(burst) - beat / burst;
        beat = end;
    }
    n as u64
}

fn check(text: &str, state_bits: usize, max_burst: usize, outstanding: usize, seed: u64) {
    let config = config(text, state_bits, max_burst, outstanding);
    let printed = print(&state_writer(&config)).unwrap();
    let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    dut.reset();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut errors = 0;
    for round in 0..40 {
        let stall = [0.0, 0.3, 0.8][rng.gen_range(0..3)];
        let timing = MemoryTiming::of(&config, stall, seed + round);
        let p_word = [1.0, 0.5, 0.05][rng.gen_range(0..3)];
        let p_error = if rng.gen_bool(0.3) { 0.2 } else { 0.0 };
        let base = 0x3_0000_0000 + 64 * rng.gen_range(0..200u64);
        let place = format!("{} bits, seed {seed} round {round} stall {stall} word {p_word}", config.bus_bits);
        let beats = 64 / config.beat_bytes();
        let pieces: Vec<Piece> = (0..rng.gen_range(1..8))
            .map(|i| Piece { vector: i % 2 == 0, words: beats * [1, 2, 5, 40, 150][rng.gen_range(0..5)] })
            .collect();
        let r = Run { place: place.clone(), base, p_word, p_error, timing };
        let got = run(&mut dut, &config, &pieces, &r, &mut rng);
        assert_eq!(got.bursts, cuts(&config, base, &pieces), "{place}: bursts");
        assert!(p_error > 0.0 || got.errors == 0, "{place}");
        errors += got.errors;
    }
    assert!(errors > 0, "no error response in 40 rounds");
}

#[test]
fn what_is_written_lies_in_memory_narrow() {
    let nano = include_str!("../../../configs/nano.toml");
    check(nano, 24, 64, 8, 1);
    check(nano, 32, 256, 3, 2);
    check(nano, 16, 1, 1, 3);
}

#[test]
fn what_is_written_lies_in_memory_wide() {
    let wide = include_str!("../../../configs/wide.toml");
    check(wide, 24, 64, 16, 4);
    check(wide, 29, 10, 2, 5);
}

/// A beat a cycle: a long piece takes its words, one burst that is collected first, and the way to memory and back.
#[test]
fn one_beat_a_cycle() {
    for text in [include_str!("../../../configs/nano.toml"), include_str!("../../../configs/wide.toml")] {
        let config = config(text, 24, 64, 16);
        let printed = print(&state_writer(&config)).unwrap();
        let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        dut.reset();
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let timing = MemoryTiming::of(&config, 0.0, 1);
        let latency = u64::from(timing.latency_cycles);
        let r = Run { place: "one beat a cycle".into(), base: 1 << 32, p_word: 1.0, p_error: 0.0, timing };
        let words = 64 * 40;
        let got = run(&mut dut, &config, &[Piece { vector: true, words }], &r, &mut rng);
        let most = words as u64 + burst_beats(&config) as u64 + latency + 10;
        assert!(got.cycles <= most, "{} cycles for {words} words, expected at most {most}", got.cycles);
    }
}
