//! Several sessions on one chip: each is what it would be alone, whoever works beside it, whoever rests, and whatever stalls.

mod slot_bench;

use rtl_gen::config::Config;
use sim_harness::chip::ChipError;
use sim_harness::session::{SessionError, TokenOptions};
use slot_bench::{prompts, same_cycles, texts, Bench};

fn config(sessions: usize, wkv_lanes: usize) -> Config {
    let more = format!("sessions = {sessions}\nwkv_lanes = {wkv_lanes}\nbus_bits");
    let text = include_str!("../../configs/nano.toml").replace("bus_bits", &more);
    Config::parse(&text, "nano").unwrap()
}

#[test]
fn two_sessions_are_each_what_they_are_alone() {
    let bench = Bench::new(config(2, 4), 32, 1);
    texts(&bench, 0.0, 1, 6);
    for seed in 2..6 {
        texts(&bench, 0.25, seed, 6);
    }
}

#[test]
fn four_sessions_share_a_wider_recurrence() {
    let bench = Bench::new(config(4, 16), 16, 3);
    texts(&bench, 0.0, 2, 8);
    for seed in 3..6 {
        texts(&bench, 0.25, seed, 8);
    }
}

#[test]
fn a_prompt_is_read_side_by_side() {
    let bench = Bench::new(config(2, 4), 32, 1);
    prompts(&bench, 0.0, 1);
    prompts(&bench, 0.25, 2);
}

/// Heads of 16 words: a slot would read the state before the one before it has written it, if nothing held it.
#[test]
fn a_prompt_waits_for_the_state_of_short_heads() {
    let bench = Bench::new(config(4, 16), 16, 3);
    prompts(&bench, 0.0, 1);
    for seed in 2..5 {
        prompts(&bench, 0.3, seed);
    }
}

/// One pass for all costs hardly more than for one, and the same whatever the texts are.
#[test]
fn cycles_do_not_depend_on_the_texts() {
    same_cycles(&Bench::new(config(4, 16), 16, 3));
}

/// A slice whose control depends on its numbers is found in the cycle it leaves the others.
#[test]
fn a_slice_that_leaves_the_others_is_found() {
    let bench = Bench::new(config(2, 4), 32, 1);
    // a word with a certain number in it is held for one cycle
    let to = "to_vmem_i && (!ready || (en_q && &o_i[3:0]));";
    let mut chip = bench.broken("anser_vec_write.sv", "to_vmem_i && !ready;", to);
    let error = (1..9).find_map(|t| chip.pass(&[Some(t), Some(50 + t)], TokenOptions::default()).err());
    assert!(matches!(error, Some(ChipError::Session(SessionError::Apart { .. }))), "{error:?}");
}

/// The slots of a short head read too early if nothing holds them, and the comparison says so.
#[test]
fn a_state_that_is_read_too_early_is_found() {
    let bench = Bench::new(config(4, 16), 16, 3);
    let mut chip = bench.broken("anser_wkv_pass1.sv", "open_q < head_total_i", "open_q < head_total_i + 14'd64");
    let runs = (0..3).map(|i| chip.prefill(0, &[i, 50 + i, 20, 99], false, TokenOptions::default()).unwrap());
    let found = runs.filter_map(|r| r.result.outcome.first).next().map(|first| first.to_string());
    assert!(found.as_ref().is_some_and(|f| f.contains("att.")), "{found:?}");
}
