//! The vector unit against docs/hardware.md, vec, restated in `vec_bench/model.rs`: every word, scalar, exponent, the
//! saturation count, order and drain, and the cycle counts its header promises. Seeds are in every message.

#[path = "vec_bench/mod.rs"]
mod vec_bench;

use golden_model::arithmetic::tables;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::core::vmem::WRITE_LATENCY;
use rtl_gen::blocks::vec::lane::PRODUCT_STAGE;
use rtl_gen::blocks::vec::lut::LUT_STAGES;
use rtl_gen::blocks::vec::scalar::{MEAN_CYCLES, RSQ_CYCLES, VALUE_CYCLES};
use rtl_gen::blocks::vec::{RESULT_STAGE, VEC_LATENCY, VEC_LATENCY_LUT};
use rtl_gen::isa::{acc_sel, c_sel, dest, lut, m_sel, post, x_sel};
use sim_harness::dut::{BuildOptions, Dut};
use vec_bench::model::Instruction;
use vec_bench::{programs, Bench, Ready, NO_STALLS};

fn fill(bench: &mut Bench, rng: &mut ChaCha8Rng) {
    let values: Vec<i32> = (0..bench.model.vmem.len()).map(|_| programs::element(rng)).collect();
    bench.set_vmem(|i| values[i]);
}

/// Random programs, half of them with random stalls.
fn check(bus_bits: usize, n_head: usize, seed: u64, rounds: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut bench = Bench::new(bus_bits, n_head);
    let vl = bench.config.vlanes();
    fill(&mut bench, &mut rng);
    bench.run(&programs::fill_scalars(vl, n_head), NO_STALLS, &mut rng, "scalars");
    for round in 0..rounds {
        let choice = [1.0, 0.7, 0.2];
        let mut pick = || if round % 2 == 0 { 1.0 } else { choice[rng.gen_range(0..3)] };
        let ready = Ready { instruction: pick(), params: pick(), write: pick() };
        fill(&mut bench, &mut rng);
        let program = programs::program(&mut rng, vl, n_head, 40);
        bench.run(&program, ready, &mut rng, &format!("bus {bus_bits}, seed {seed}, round {round}, {ready:?}"));
    }
}

#[test]
fn random_programs_4_lanes() {
    check(128, 16, 1, 1500);
}

#[test]
fn random_programs_8_lanes() {
    check(256, 240, 2, 600);
}

#[test]
fn random_programs_16_lanes() {
    check(512, 16, 3, 600);
}

/// In place, without drain, at exactly the distance the header allows: every word is read right after it was written.
#[test]
fn dependent_words_at_the_latency() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut bench = Bench::new(128, 16);
    for (table, distance) in [(lut::NONE, VEC_LATENCY), (lut::SIGMOID, VEC_LATENCY_LUT), (lut::TANH, VEC_LATENCY_LUT)] {
        let step = Instruction {
            n_words: distance,
            tail: 4,
            x_sel: x_sel::A,
            c_sel: c_sel::ONE,
            shift: 1,
            lut: table,
            dest: dest::VMEM,
            ..Default::default()
        };
        for ready in [NO_STALLS, Ready { instruction: 1.0, params: 1.0, write: 0.5 }] {
            fill(&mut bench, &mut rng);
            let times = bench.run(
                &vec![(step.clone(), vec![]); 6],
                ready,
                &mut rng,
                &format!("distance {distance}, {ready:?}"),
            );
            if ready.write == 1.0 {
                assert_eq!(
                    times.first_read[5] - times.first_read[0],
                    5 * (distance + 1),
                    "one cycle between instructions"
                );
            }
        }
    }
}

/// The cycle counts the header promises: a pass, a drained successor, a reduction.
#[test]
fn cycles() {
    for bus_bits in [128, 512] {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut bench = Bench::new(bus_bits, 16);
        let vl = bench.config.vlanes();
        fill(&mut bench, &mut rng);
        let n = 24;
        let plain = Instruction {
            drain: true,
            n_words: n,
            tail: vl,
            x_sel: x_sel::A,
            dest: dest::VMEM,
            d_addr: 100,
            ..Default::default()
        };
        for (table, latency) in [(lut::NONE, VEC_LATENCY), (lut::DECAY, VEC_LATENCY_LUT)] {
            let f = Instruction { lut: table, ..plain.clone() };
            let times = bench.run(&[(f.clone(), vec![]), (f, vec![])], NO_STALLS, &mut rng, "pass");
            assert_eq!(times.last_word[0] - times.first_read[0], n - 1 + latency - WRITE_LATENCY);
            assert_eq!(times.first_read[1] - times.first_read[0], n - 1 + latency);
            assert_eq!(times.done[0], times.last_word[0] + 1);
            println!("bus {bus_bits}, {n} words, lut {table}: pass {}", times.first_read[1] - times.first_read[0]);
        }
        let tree = rtl_gen::blocks::vec::reduce::stages(vl);
        for (post, cycles) in [(post::MEAN, MEAN_CYCLES), (post::RSQ, RSQ_CYCLES), (post::VALUE, VALUE_CYCLES)] {
            for (acc_sel, tap) in [(acc_sel::PRODUCT, PRODUCT_STAGE), (acc_sel::RESULT, RESULT_STAGE)] {
                let f = Instruction { m_sel: m_sel::X, acc_sel, post, k_const: 1, shift: 31, ..plain.clone() };
                let times = bench.run(&[(f.clone(), vec![]), (f, vec![])], NO_STALLS, &mut rng, "reduction");
                let (read, written) = (times.first_read[0] + n - 1, times.last_scalar[0]);
                assert_eq!(written - read, tap + tree + cycles, "post {post}");
                assert_eq!(times.first_read[1], (written + 2).max(read + VEC_LATENCY));
                println!(
                    "bus {bus_bits}, post {post}, acc {acc_sel}: scalar written {} cycles after the last read",
                    written - read
                );
            }
        }
        // several segments: the unit is the bottleneck, and stays busy
        let f = Instruction {
            m_sel: m_sel::X,
            acc_sel: acc_sel::PRODUCT,
            post: post::RSQ,
            k_const: 1,
            shift: 31,
            seg_words: 2,
            ..plain
        };
        let times = bench.run(&[(f, vec![])], NO_STALLS, &mut rng, "segments");
        assert_eq!(times.last_scalar[0] - times.first_read[0], 1 + PRODUCT_STAGE + tree + 12 * RSQ_CYCLES);
    }
}

/// The pipeline of the tables alone, over every input.
#[test]
fn every_input_of_every_table() {
    let printed = rtl_gen::hdl::print(&rtl_gen::blocks::vec::lut::lut()).unwrap();
    let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let port = |name| dut.port(name).unwrap();
    let (en, sel, z, y) = (port("en_i"), port("sel_i"), port("z_i"), port("y_o"));
    dut.reset();
    dut.set(en, (1 << LUT_STAGES) - 1);
    let inputs = (0..3 << 19).map(|i| ((i >> 19) + 1, (i & ((1 << 19) - 1)) - (1 << 18)));
    let expected = inputs.clone().map(|(f, z)| match f as u64 {
        lut::SIGMOID => tables::sigmoid(z),
        lut::TANH => tables::tanh(z),
        _ => tables::decay(z),
    });
    let mut expected = inputs.clone().zip(expected);
    for (cycle, (f, value)) in inputs.chain([(0, 0); LUT_STAGES - 1]).enumerate() {
        dut.set(sel, f as u64);
        dut.set(z, value as u64);
        dut.tick();
        if cycle >= LUT_STAGES - 1 {
            let ((f, value), expected) = expected.next().unwrap();
            assert_eq!(dut.get_signed(y), i64::from(expected), "table {f} of {value}");
        }
    }
    assert!(expected.next().is_none());
}

/// rsqrt in the scalar unit alone: every mantissa of both parities, at a random exponent, the dropped bits random too.
#[test]
fn every_mantissa_of_rsqrt() {
    let seed = 6;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scalar = rtl_gen::blocks::vec::scalar::vec_scalar(&vec_bench::config(128, 16));
    let printed = rtl_gen::hdl::print(&scalar).unwrap();
    let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let port = |name| dut.port(name).unwrap();
    let (start, valid, sum, ready) = (port("start_i"), port("sum_valid_i"), port("sum_i"), port("sum_ready_o"));
    let (k_const, post_i, mult, shift) = (port("k_const_i"), port("post_i"), port("value_o"), port("shift_o"));
    dut.reset();
    // mult = R, shift = e
    dut.set(k_const, 1);
    dut.set(post_i, post::RSQ);
    dut.set(start, 1);
    dut.tick();
    dut.set(start, 0);
    dut.set(valid, 1);
    for i in 0..1u128 << 19 {
        let (parity, mantissa) = (i as u32 & 1, (1 << 18) | i >> 1);
        let p = 2 * rng.gen_range(0..=34) + parity; // highest set bit; numbers below 2^18 have fewer bits
        let rest: u128 = rng.gen();
        let u = if p < 18 { mantissa >> (18 - p) } else { mantissa << (p - 18) | rest & ((1 << (p - 18)) - 1) };
        dut.set_wide(sum, &[u as u32, (u >> 32) as u32, (u >> 64) as u32]);
        for cycle in 1..=RSQ_CYCLES {
            dut.clock_low().unwrap();
            assert_eq!(dut.get(ready) == 1, cycle == RSQ_CYCLES, "u = {u}: cycle {cycle}");
            if cycle == RSQ_CYCLES {
                let (r, e) = tables::rsqrt(u);
                assert_eq!((dut.get(mult), dut.get(shift)), (u64::from(r), u64::from(e)), "rsqrt({u}), seed {seed}");
            }
            dut.clock_high().unwrap();
        }
    }
}
