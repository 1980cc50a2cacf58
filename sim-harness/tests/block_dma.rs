//! The stream reader alone, over the simulated memory: which beats go where, the AXI rules (checked by the memory),
//! bursts in flight, errors, and that neither latency nor the next instruction costs a beat.

mod bursts;
mod dma_bench;

use dma_bench::{build, run, runs, Instr, Outcome, Read, Run, To, BASE};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use rtl_gen::isa::dma_kind;
use sim_harness::axi_memory::{AxiMemory, MemoryTiming};
use sim_harness::dut::Dut;

const UNITS: u64 = 4096;

fn config(name: &str) -> Config {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    Config::load(&dir.join(format!("{name}.toml"))).unwrap()
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    kind: u64,
    /// Units of the piece, or of one column of it.
    len: u64,
    addr: u64,
    /// By columns: which are read.
    columns: u64,
}

impl Piece {
    /// Units `(first, len)` of the image that are read.
    fn units(&self, token: u64) -> Vec<(u64, u64)> {
        match self.kind {
            dma_kind::EMBEDDING | dma_kind::TOKEN_WEIGHTS => vec![(self.addr + token * self.len, self.len)],
            dma_kind::COLUMNS => {
                runs(self.columns).iter().map(|(first, len)| (self.addr + first * self.len, len * self.len)).collect()
            }
            _ => vec![(self.addr, self.len)],
        }
    }

    /// Makes instruction number `n` of a program.
    fn instr(&self, n: usize, token: u64, image: &[u8]) -> Instr {
        let to = match self.kind {
            dma_kind::WEIGHTS | dma_kind::COLUMNS | dma_kind::TOKEN_WEIGHTS => To::Weights,
            _ => To::Params,
        };
        let read = |(unit, len): (u64, u64)| {
            let bytes = image[unit as usize * 64..(unit + len) as usize * 64].to_vec();
            Read { to, addr: BASE + unit * 64, bytes }
        };
        Instr {
            fields: vec![
                ("kind", self.kind as i64),
                ("len", self.len as i64),
                ("addr", self.addr as i64),
                ("last", n as i64 % 2),
                ("x_addr", n as i64),
                ("cols", n as i64 + 1000),
            ],
            reads: self.units(token).into_iter().map(read).collect(),
            runs: if self.kind == dma_kind::COLUMNS { runs(self.columns) } else { vec![] },
        }
    }
}

/// Runs `pieces` of `image`.
fn read(
    dut: &mut Dut,
    config: &Config,
    (image, token): (&[u8], u64),
    timing: MemoryTiming,
    pieces: &[Piece],
    r: &Run,
    rng: &mut ChaCha8Rng,
) -> Outcome {
    let instrs: Vec<_> = pieces.iter().enumerate().map(|(n, p)| p.instr(n, token, image)).collect();
    dut.set(dut.port("image_base_i").unwrap(), BASE >> 6);
    dut.set(dut.port("token_i").unwrap(), token);
    run(dut, config, AxiMemory::new(image, BASE, timing), &instrs, r, rng).unwrap_or_else(|e| panic!("{e}"))
}

fn image(rng: &mut ChaCha8Rng) -> Vec<u8> {
    (0..UNITS * 64).map(|_| rng.gen()).collect()
}

fn pieces(rng: &mut ChaCha8Rng, token: u64) -> Vec<Piece> {
    (0..rng.gen_range(1..30))
        .map(|_| {
            let kind = [0, 1, 2, 3, dma_kind::TOKEN_WEIGHTS][rng.gen_range(0..5)];
            let len = match rng.gen_range(0..10) {
                0 => 0,
                1..=4 => rng.gen_range(1..4),
                5..=7 => rng.gen_range(1..40),
                _ => rng.gen_range(1..300),
            };
            let by_token = matches!(kind, dma_kind::EMBEDDING | dma_kind::TOKEN_WEIGHTS);
            let (len, room) = if by_token { (len.min(50), len.min(50) * (token + 1)) } else { (len, len) };
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
            p_instr: rng.gen_range(0.1..1.0),
            p_room: [rng.gen_range(0.2..1.0), rng.gen_range(0.2..1.0), 1.0],
            p_error: if seed % 4 == 0 { 0.1 } else { 0.0 },
        };
        let outcome = read(&mut dut, &config, (&image, token), timing, &pieces, &r, &mut rng);
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
        let r = Run { place: format!("{name} latency {latency}"), p_instr: 1.0, p_room: [1.0; 3], p_error: 0.0 };
        let o = read(&mut dut, &config, (&image, 0), timing, &pieces, &r, &mut rng);
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
    let r = Run { place: "short pieces".into(), p_instr: 1.0, p_room: [1.0; 3], p_error: 0.0 };
    let o = read(&mut dut, &config, (&image, 0), timing, &pieces, &r, &mut rng);
    assert_eq!((o.beats, o.gaps), (400, 0));
}
