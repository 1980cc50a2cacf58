//! Instruction fetch alone: random programs, waits that come true at random times, a consumer that is not always ready.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::core::fetch::fetch;
use rtl_gen::hdl::print;
use rtl_gen::isa::{Format, FORMATS};
use sim_harness::dut::{BuildOptions, Dut};

const DEPTH: usize = 96;
/// The wait fields of dma, mat, vec and wkv.
const WAITS: [&[&str]; 4] = [&[], &["wait_vec"], &["wait_mat", "wait_wkv"], &["wait_vec"]];
const DONE_PORTS: [&str; 2] = ["done_a_i", "done_b_i"];

fn build(unit: usize) -> Dut {
    let printed = print(&fetch(&FORMATS[unit], DEPTH, WAITS[unit])).unwrap();
    Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Random words in every bit; waits rise along the program by up to `step`.
fn program(unit: usize, len: usize, step: i64, rng: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
    let f = &FORMATS[unit];
    let mut waits = vec![0i64; WAITS[unit].len()];
    (0..len)
        .map(|i| {
            let mut words: Vec<u32> = (0..f.bits / 32).map(|_| rng.gen()).collect();
            put(f, &mut words, "last", u64::from(i + 1 == len));
            for (name, w) in WAITS[unit].iter().zip(&mut waits) {
                *w += rng.gen_range(0..=step);
                put(f, &mut words, name, *w as u64);
            }
            words
        })
        .collect()
}

fn put(format: &Format, words: &mut [u32], field: &str, value: u64) {
    let (at, bits) = format.field(field);
    for i in 0..bits {
        let (word, bit) = ((at + i) / 32, (at + i) % 32);
        words[word] = words[word] & !(1 << bit) | ((value >> i & 1) as u32) << bit;
    }
}

fn load(dut: &mut Dut, program: &[Vec<u32>]) {
    let port = |n: &str| dut.port(n).unwrap();
    let (we, lane, idx, data) = (port("prog_we_i"), port("prog_lane_i"), port("prog_idx_i"), port("prog_wdata_i"));
    dut.set(we, 1);
    for (i, words) in program.iter().enumerate() {
        for (k, w) in words.iter().enumerate() {
            dut.set(lane, k as u64);
            dut.set(idx, i as u64);
            dut.set(data, u64::from(*w));
            dut.tick();
        }
    }
    dut.set(we, 0);
}

/// Probabilities, each cycle: the consumer is ready, `stall_i` is high, a done count rises.
#[derive(Clone, Copy)]
struct Chances {
    ready: f64,
    stall: f64,
    done: f64,
}

/// Runs one program and checks every instruction, its index, its waits and `finished_o`; gives the cycles it took.
fn run(dut: &mut Dut, unit: usize, program: &[Vec<u32>], p: Chances, rng: &mut ChaCha8Rng, place: &str) -> usize {
    let port = |n: &str| dut.port(n).unwrap();
    let (start, stall, ready) = (port("start_i"), port("stall_i"), port("instr_ready_i"));
    let (valid, instr, index) = (port("instr_valid_o"), port("instr_o"), port("instr_idx_o"));
    let (waiting, finished) = (port("waiting_o"), port("finished_o"));
    let done_ports: Vec<_> = DONE_PORTS[..WAITS[unit].len()].iter().map(|n| port(n)).collect();
    let mut done = vec![0u64; done_ports.len()];
    let mut words = vec![0u32; program[0].len()];
    dut.set(start, 1);
    dut.set(ready, 0);
    dut.tick();
    dut.set(start, 0);
    let mut next = 0;
    for cycle in 0..100_000 {
        let stalled = rng.gen_bool(p.stall);
        let takes = rng.gen_bool(p.ready);
        dut.set(stall, u64::from(stalled));
        dut.set(ready, u64::from(takes));
        let before = done.clone(); // the counts the unit has seen by now
        for (port, d) in done_ports.iter().zip(&mut done) {
            *d += u64::from(rng.gen_bool(p.done) && *d < 4095);
            dut.set(*port, *d);
        }
        dut.clock_low().unwrap();
        let place = format!("{place} cycle {cycle} instruction {next}");
        assert_eq!(dut.get(finished) == 1, next == program.len(), "{place}: finished");
        if next == program.len() {
            assert_eq!(dut.get(valid), 0, "{place}: an instruction after the last");
            return cycle;
        }
        let waits_hold = WAITS[unit].iter().zip(&before).all(|(w, d)| *d >= FORMATS[unit].get(&program[next], w));
        assert!(!(stalled && dut.get(valid) == 1), "{place}: offered while stalled");
        assert!(!(dut.get(waiting) == 1 && waits_hold), "{place}: waits without a reason");
        if dut.get(valid) == 1 {
            assert!(waits_hold, "{place}: offered before its waits hold");
            dut.get_wide(instr, &mut words);
            assert_eq!(words, program[next], "{place}");
            assert_eq!(dut.get(index), next as u64, "{place}");
            next += usize::from(takes);
        }
        dut.clock_high().unwrap();
    }
    panic!("{place}: not finished, at instruction {next}");
}

#[test]
fn instructions_come_in_order_when_their_waits_hold() {
    for (unit, format) in FORMATS.iter().enumerate() {
        let mut dut = build(unit);
        dut.reset();
        for seed in 0..30 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let len = match seed {
                0 => 1,
                1 => DEPTH,
                _ => rng.gen_range(1..=DEPTH),
            };
            let step = rng.gen_range(0..40);
            let program = program(unit, len, step, &mut rng);
            load(&mut dut, &program);
            let p = Chances {
                ready: rng.gen_range(0.1..1.0),
                stall: rng.gen_range(0.0..0.5),
                done: rng.gen_range(0.2..1.0),
            };
            let place = format!("{} seed {seed}", format.name);
            // twice: the second token starts where the first left the unit
            for _ in 0..2 {
                run(&mut dut, unit, &program, p, &mut rng, &place);
            }
        }
    }
}

#[test]
fn every_other_cycle_brings_an_instruction() {
    for (unit, format) in FORMATS.iter().enumerate() {
        let mut dut = build(unit);
        dut.reset();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let program = program(unit, DEPTH, 0, &mut rng);
        load(&mut dut, &program);
        let cycles =
            run(&mut dut, unit, &program, Chances { ready: 1.0, stall: 0.0, done: 0.0 }, &mut rng, format.name);
        assert_eq!(cycles, DEPTH * 2 + 2, "{}: two instructions in four cycles after the latency", format.name);
    }
}

#[test]
fn a_full_wait_field_is_compared_in_all_its_bits() {
    let mut dut = build(1);
    dut.reset();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut program = program(1, 2, 0, &mut rng);
    put(&FORMATS[1], &mut program[1], "wait_vec", 4095);
    load(&mut dut, &program);
    let cycles = run(&mut dut, 1, &program, Chances { ready: 1.0, stall: 0.0, done: 1.0 }, &mut rng, "wait 4095");
    assert_eq!(cycles, 4096, "the count is 4095 in cycle 4094, the hand-over one cycle later, finished the one after");
}
