//! Several sessions a pass whose states lie in memory: each is what it would be alone, whoever works beside it, whoever rests, in whatever
//! slot, and whatever stalls. The chip's bench compares every slot's state in memory after every pass, of slots at rest, too.

mod common;
mod slot_bench;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use sim_harness::session::TokenOptions;
use slot_bench::{alone, prompts, same_cycles, texts, Bench, LOGITS};

fn config(text: &str, sessions: usize) -> Config {
    Config::parse(&common::streamed_slots(text, sessions), "bench").unwrap()
}

fn nano(sessions: usize) -> Config {
    config(include_str!("../../configs/nano.toml"), sessions)
}

#[test]
fn two_sessions_are_each_what_they_are_alone() {
    let bench = Bench::new(nano(2), 32, 1);
    texts(&bench, 0.0, 1, 6);
    for seed in 2..6 {
        texts(&bench, 0.25, seed, 6);
    }
}

/// A word is a unit of memory and a burst, and a head on its way round fills the queue to the last word.
#[test]
fn two_sessions_on_a_wide_bus() {
    let mut config = config(include_str!("../../configs/wide.toml"), 2);
    (config.max_burst_beats, config.limits.state_fifo_beats) = (1, 64);
    let bench = Bench::new(config, 32, 3);
    texts(&bench, 0.0, 2, 6);
    prompts(&bench, 0.0, 1);
    for seed in 3..5 {
        texts(&bench, 0.25, seed, 6);
        prompts(&bench, 0.3, seed);
    }
}

#[test]
fn a_prompt_is_read_side_by_side() {
    let bench = Bench::new(nano(2), 32, 1);
    prompts(&bench, 0.0, 1);
    prompts(&bench, 0.25, 2);
}

/// Before anything else was said there is no state to go on from, whatever lies in memory.
#[test]
fn a_prompt_can_come_first() {
    let bench = Bench::new(nano(2), 32, 1);
    let mut chip = bench.chip(0.0, 4);
    let mut text = vec![];
    for more in [[7, 8], [9, 10]] {
        let run = chip.prefill(1, &more, true, LOGITS).unwrap();
        assert!(run.result.outcome.first.is_none(), "{}", run.result.outcome.first.unwrap());
        text.extend(more);
        assert_eq!(Some(&run.result.logits[0]), alone(&bench.golden, &text).last());
    }
    // the other slot has a session of its own, which begins now
    let run = chip.pass(&[Some(3), Some(4)], LOGITS).unwrap();
    assert_eq!(run.result.outcome.mismatches, 0);
    assert_eq!(run.result.logits[0], alone(&bench.golden, &[3])[0]);
}

/// A head fills the queue on its way round, or a quarter of it.
#[test]
fn a_head_goes_round_in_four_slots() {
    for beats in [64, 256] {
        let mut config = nano(4);
        config.limits.state_fifo_beats = beats;
        let bench = Bench::new(config, 16, 3);
        prompts(&bench, 0.0, 1);
        prompts(&bench, 0.3, 2);
    }
}

/// Seven sessions for four slots: which four work, and where, changes from pass to pass.
#[test]
fn sessions_go_from_slot_to_slot() {
    let bench = Bench::new(nano(4), 16, 5);
    for (stall, seed) in [(0.0, 1), (0.2, 2)] {
        let place = format!("seed {seed}, stall {stall}");
        let mut chip = bench.chip(stall, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for number in 4..7 {
            assert_eq!(chip.add_session().unwrap(), number);
        }
        let mut texts: Vec<Vec<u32>> = vec![vec![]; 7];
        for _ in 0..12 {
            let mut order: Vec<usize> = (0..7).collect();
            (0..4).for_each(|slot| order.swap(slot, rng.gen_range(slot..7)));
            let tokens: Vec<_> = (0..4).map(|_| rng.gen_bool(0.7).then(|| rng.gen_range(0..100))).collect();
            if tokens.iter().flatten().next().is_none() {
                continue;
            }
            for (slot, session) in order[..4].iter().enumerate() {
                chip.select_in(slot, *session).unwrap();
            }
            let run = chip.pass(&tokens, LOGITS).unwrap_or_else(|e| panic!("{place}: {e}"));
            assert!(run.result.outcome.first.is_none(), "{place}: {}", run.result.outcome.first.unwrap());
            for slot in (0..4).filter(|slot| tokens[*slot].is_some()) {
                let session = order[slot];
                texts[session].extend(tokens[slot]);
                let want = alone(&bench.golden, &texts[session]);
                assert_eq!(Some(&run.result.logits[slot]), want.last(), "{place}: session {session} in slot {slot}");
            }
        }
    }
}

/// Equal work takes equal time, and a session moved to another slot costs nothing.
#[test]
fn cycles_do_not_depend_on_the_texts() {
    same_cycles(&Bench::new(nano(4), 16, 3));
}

/// What only several states in memory have can break, and is found.
#[test]
fn a_state_in_the_wrong_place_is_found() {
    let bench = Bench::new(nano(2), 32, 1);
    for (file, from, to, place) in [
        // the recurrence's words all go to slot 0
        ("anser_core.sv", ".r_slot_i(wkv_so_slot)", ".r_slot_i(wkv_so_slot & 1'd0)", "no state lies there"),
        // session vectors of one slot are taken from the other
        (
            "anser_core.sv",
            "{slice_1_vec_vw_data, slice_0_vec_vw_data}",
            "{slice_0_vec_vw_data, slice_1_vec_vw_data}",
            "state in memory",
        ),
        // a slot at rest is written
        ("anser_state_writer.sv", "slots_i[v_slot_i];", "1'b1 | slots_i[v_slot_i];", "state in memory"),
        // heads come slot by slot
        ("anser_state_order.sv", "if (turn) head_q <= next_head;", "head_q <= next_head;", "att."),
        // the clear of one slot reaches the other
        ("anser_dma.sv", "zero_i[state_slot]", "(|zero_i)", "att."),
    ] {
        let mut chip = bench.broken(file, from, to);
        let options = TokenOptions::default();
        let passes = [[Some(1), None], [Some(2), Some(60)], [Some(3), Some(61)], [None, Some(62)]];
        let runs = passes.iter().map(|tokens| chip.pass(tokens, options).map(|run| run.result.outcome.first));
        let found = runs.filter_map(|r| r.map_or_else(|e| Some(e.to_string()), |f| f.map(|f| f.to_string()))).next();
        assert!(found.as_ref().is_some_and(|f| f.contains(place)), "{file}, {to}: {found:?}");
    }
}
