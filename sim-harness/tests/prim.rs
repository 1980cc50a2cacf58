//! The primitives of `rtl_gen::blocks::prim` in Verilator: queue against `VecDeque`, arithmetic against `golden_model::arithmetic::fixed`.

use golden_model::arithmetic::fixed;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::prim;
use rtl_gen::hdl::{print, Module};
use sim_harness::dut::{BuildOptions, Dut};
use std::collections::VecDeque;

fn build(module: &Module) -> Dut {
    Dut::build(&print(module).unwrap(), &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Random pushes and pops with probabilities that change, so that full and empty are both met.
fn check_fifo(bits: usize, depth: usize, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut dut = build(&prim::fifo(bits, depth));
    let port = |name: &str| dut.port(name).unwrap();
    let (in_valid, in_ready, in_data) = (port("in_valid_i"), port("in_ready_o"), port("in_data_i"));
    let (out_valid, out_ready, out_data) = (port("out_valid_o"), port("out_ready_i"), port("out_data_o"));
    dut.reset();
    let words = bits.div_ceil(32);
    let mut model: VecDeque<Vec<u32>> = VecDeque::new();
    let (mut met_full, mut met_empty, mut popped) = (false, false, 0);
    let (mut p_push, mut p_pop) = (0.5, 0.5);
    let mut offered = vec![0u32; words];
    let mut was_valid = false;
    for cycle in 0..20_000 {
        if cycle % 500 == 0 {
            (p_push, p_pop) = (rng.gen_range(0.05..1.0), rng.gen_range(0.05..1.0));
        }
        if dut.get(in_valid) == 0 || dut.get(in_ready) == 1 {
            offered.iter_mut().for_each(|w| *w = rng.gen());
            if !bits.is_multiple_of(32) {
                offered[words - 1] &= (1 << (bits % 32)) - 1;
            }
        }
        dut.set(in_valid, u64::from(rng.gen_bool(p_push)));
        dut.set_wide(in_data, &offered);
        dut.set(out_ready, u64::from(rng.gen_bool(p_pop)));
        dut.clock_low().unwrap();
        let place = format!("fifo {bits}x{depth} seed {seed} cycle {cycle}");
        met_full |= dut.get(in_ready) == 0;
        met_empty |= dut.get(out_valid) == 0;
        assert!(!was_valid || dut.get(out_valid) == 1, "{place}: valid dropped without a transfer");
        let pop = dut.get(out_valid) == 1 && dut.get(out_ready) == 1;
        was_valid = dut.get(out_valid) == 1 && !pop;
        if pop {
            let mut got = vec![0u32; words];
            dut.get_wide(out_data, &mut got);
            assert_eq!(Some(got), model.pop_front(), "{place}");
            popped += 1;
        }
        if dut.get(in_valid) == 1 && dut.get(in_ready) == 1 {
            model.push_back(offered.clone());
            assert!(model.len() <= depth + 1, "{place}: {} entries", model.len());
        }
        dut.clock_high().unwrap();
    }
    assert!(
        met_full && met_empty && popped > 1000,
        "fifo {bits}x{depth} seed {seed}: full {met_full} empty {met_empty} popped {popped}"
    );
}

#[test]
fn fifo_keeps_order_under_random_stalls() {
    for (bits, depth, seed) in [(8, 2, 1), (13, 16, 2), (64, 32, 3), (128, 64, 4), (75, 128, 5)] {
        check_fifo(bits, depth, seed);
    }
}

/// Random numbers of all magnitudes, the corners, and ties.
fn operands(bits: usize, rng: &mut ChaCha8Rng) -> Vec<i64> {
    let sign = |v: u64| ((v << (64 - bits)) as i64) >> (64 - bits);
    let mut v: Vec<i64> =
        (0..bits).flat_map(|b| [1u64 << b, (1u64 << b) - 1, !(1u64 << b), 3u64 << b]).map(sign).collect();
    v.extend([0, -1, 1]);
    v.extend((0..3000).map(|_| sign(rng.gen::<u64>()) >> rng.gen_range(0..bits)));
    v.extend((0..1000).map(|_| sign((rng.gen::<u64>() | 1) << rng.gen_range(0..bits)))); // ties
    v
}

#[test]
fn round_shift_is_the_golden_rounding() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for (in_bits, shift_bits, out_bits) in
        [(56usize, 6usize, 56usize), (56, 6, 28), (43, 6, 30), (32, 5, 32), (64, 6, 64)]
    {
        let mut dut = build(&prim::round_shift(in_bits, shift_bits, out_bits));
        let port = |name: &str| dut.port(name).unwrap();
        let (en_i, x_i, shift_i, floor_o, up_o) =
            (port("en_i"), port("x_i"), port("shift_i"), port("floor_o"), port("up_o"));
        let (mut checked, mut kept) = (0, 0);
        for x in operands(in_bits, &mut rng) {
            for shift in [rng.gen_range(0..1u32 << shift_bits), 0, (1 << shift_bits) - 1, in_bits as u32 / 2] {
                let want = fixed::round_shift(x, shift);
                if want >> (out_bits - 1) != want >> 63 {
                    continue; // outside the block's contract
                }
                dut.set(en_i, 1);
                dut.set(x_i, x as u64);
                dut.set(shift_i, u64::from(shift));
                dut.tick();
                if rng.gen_bool(0.2) {
                    dut.set(en_i, 0);
                    dut.set(x_i, rng.gen::<u64>() >> (64 - in_bits));
                    dut.set(shift_i, u64::from(rng.gen_range(0..1u32 << shift_bits)));
                    dut.tick();
                    kept += 1;
                }
                let got = dut.get_signed(floor_o) + dut.get(up_o) as i64;
                // The caller adds in OUT_BITS bits, so the sum wraps there.
                let got = got << (64 - out_bits) >> (64 - out_bits);
                assert_eq!(got, want, "round_shift {in_bits} to {out_bits}: x {x} shift {shift}");
                checked += 1;
            }
        }
        assert!(checked > 5000 && kept > 500, "{checked} {kept}");
    }
}

#[test]
fn saturate_is_the_golden_saturation() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for (in_bits, out_bits) in [(29usize, 27usize), (56, 27), (28, 16), (64, 24)] {
        let mut dut = build(&prim::saturate(in_bits, out_bits));
        let (x_i, y_o, clipped) = (dut.port("x_i").unwrap(), dut.port("y_o").unwrap(), dut.port("clipped_o").unwrap());
        let max = (1i64 << (out_bits - 1)) - 1;
        for x in operands(in_bits, &mut rng).into_iter().chain([max, max + 1, -max - 1, -max - 2]) {
            let mut count = fixed::Saturations(0);
            let want = fixed::sat(x, out_bits as u32, &mut count);
            dut.set(x_i, x as u64);
            dut.eval();
            assert_eq!(
                (dut.get_signed(y_o), dut.get(clipped)),
                (i64::from(want), count.0),
                "saturate {in_bits} to {out_bits}: {x}"
            );
        }
    }
}
