//! Several sessions on one chip: each is what it would be alone, whoever works beside it, whoever rests, and whatever stalls.

use golden_model::calibrate::{calibrate, random_tokens};
use golden_model::checkpoint::{Checkpoint, Dtype, Shape};
use golden_model::formats::QuantOptions;
use golden_model::integer_step::{step, IntState, NoTaps};
use golden_model::layout::{stream, StreamLayout};
use golden_model::qmodel::QModel;
use golden_model::quantise::quantise;
use golden_model::random::write_random;
use golden_model::vector_ops::SaturationCounts;
use golden_model::weights::Weights;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::core::core;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use rtl_gen::program::model::view;
use sim_harness::chip::{Chip, ChipError, ChipOptions};
use sim_harness::session::{SessionError, TokenOptions};

const LOGITS: TokenOptions = TokenOptions { logits: true, timeline: false };

fn config(sessions: usize, wkv_lanes: usize) -> Config {
    let more = format!("sessions = {sessions}\nwkv_lanes = {wkv_lanes}\nbus_bits");
    let text = include_str!("../../../configs/nano.toml").replace("bus_bits", &more);
    Config::parse(&text, "nano").unwrap()
}

fn shape(head_size: usize) -> Shape {
    Shape {
        n_layer: 2,
        n_embd: 64,
        n_head: 64 / head_size,
        head_size,
        vocab_size: 100,
        dim_ffn: 144,
        rank_w: 8,
        rank_a: 10,
        rank_v: 12,
        rank_g: 17,
    }
}

fn model(shape: &Shape, seed: u64) -> QModel {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("random.safetensors");
    write_random(&path, shape, Dtype::F32, seed).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    let weights = Weights::read(&checkpoint).unwrap();
    let ranges = calibrate(&weights, &random_tokens(shape.vocab_size, 32), |_| ());
    quantise(&checkpoint, &ranges, &QuantOptions::default()).unwrap().model
}

/// The logits of `text`, token by token, for a session that has the golden model for itself.
fn alone(golden: &QModel, text: &[u32]) -> Vec<Vec<i32>> {
    let mut state = IntState::new(golden);
    let mut sat = SaturationCounts::default();
    text.iter().map(|t| step(golden, *t as usize, &mut state, &mut sat, &mut NoTaps)).collect()
}

struct Bench {
    golden: QModel,
    image: &'static [u8],
    config: Config,
}

impl Bench {
    fn new(config: Config, head_size: usize, seed: u64) -> Self {
        let golden = model(&shape(head_size), seed);
        let image = Box::leak(stream(&golden).into_boxed_slice());
        Bench { golden, image, config }
    }

    fn chip(&self, stall: f64, seed: u64) -> Chip<'static> {
        let mut model = view(&self.golden, &StreamLayout::of(&self.golden));
        model.skip_columns = seed % 2 == 1;
        let options = ChipOptions { stall, seed, ..ChipOptions::default() };
        Chip::new(&self.config, self.golden.clone(), &model, self.image, &options).unwrap_or_else(|e| panic!("{e}"))
    }
}

/// Random texts, at work and at rest in turn, some begun anew.
fn texts(bench: &Bench, stall: f64, seed: u64, passes: usize) {
    let n = bench.config.sessions;
    let place = format!("{n} sessions, {} lanes, seed {seed}, stall {stall}", bench.config.wkv_lanes());
    let mut chip = bench.chip(stall, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut texts = vec![vec![]; n];
    let mut said: Vec<Vec<Vec<i32>>> = vec![vec![]; n];
    for _ in 0..passes {
        let slot = rng.gen_range(0..n);
        if rng.gen_bool(0.2) {
            chip.clear_slots(&[slot]).unwrap();
            texts[slot].clear();
            said[slot].clear();
        }
        let at_work: u32 = rng.gen_range(1..1 << n);
        let token = |s: usize, rng: &mut ChaCha8Rng| (at_work >> s & 1 == 1).then(|| rng.gen_range(0..100u32));
        let tokens: Vec<_> = (0..n).map(|s| token(s, &mut rng)).collect();
        let run = chip.pass(&tokens, LOGITS).unwrap_or_else(|e| panic!("{place}: {e}"));
        if let Some(first) = run.result.outcome.first {
            panic!("{place}: {first}");
        }
        for slot in 0..n {
            texts[slot].extend(tokens[slot]);
            if tokens[slot].is_some() {
                said[slot].push(run.result.logits[slot].clone());
            }
        }
    }
    for slot in 0..n {
        assert_eq!(said[slot], alone(&bench.golden, &texts[slot]), "{place}: slot {slot} is not what it is alone");
    }
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

/// A prompt read side by side leaves the same state as one read token by token, and the other sessions as they were.
fn prompts(bench: &Bench, stall: f64, seed: u64) {
    let n = bench.config.sessions;
    let place = format!("{n} sessions, {} lanes, seed {seed}, stall {stall}", bench.config.wkv_lanes());
    let mut chip = bench.chip(stall, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut texts: Vec<Vec<u32>> = vec![vec![]; n];
    for _ in 0..3 {
        // each has said something
        let tokens: Vec<_> = (0..n).map(|_| Some(rng.gen_range(0..100))).collect();
        chip.pass(&tokens, LOGITS).unwrap();
        (0..n).for_each(|s| texts[s].extend(tokens[s]));
        let home = rng.gen_range(0..n);
        for head in [false, rng.gen()] {
            let text: Vec<u32> = (0..n).map(|_| rng.gen_range(0..100)).collect();
            let run = chip.prefill(home, &text, head, LOGITS).unwrap_or_else(|e| panic!("{place}: {e}"));
            if let Some(first) = run.result.outcome.first {
                panic!("{place}, home {home}: {first}");
            }
            texts[home].extend(&text);
            if head {
                let want = alone(&bench.golden, &texts[home]);
                let last = (home + n - 1) % n;
                assert_eq!(Some(&run.result.logits[last]), want.last(), "{place}, home {home}: after the prompt");
            }
        }
    }
    let tokens: Vec<_> = (0..n).map(|_| Some(rng.gen_range(0..100))).collect();
    let run = chip.pass(&tokens, LOGITS).unwrap();
    for slot in 0..n {
        texts[slot].extend(tokens[slot]);
        let want = alone(&bench.golden, &texts[slot]);
        assert_eq!(Some(&run.result.logits[slot]), want.last(), "{place}: slot {slot} after all prompts");
    }
    assert_eq!(chip.totals.outcome.mismatches, 0, "{place}: {:?}", chip.totals.outcome.first);
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
    let bench = Bench::new(config(4, 16), 16, 3);
    let mut chip = bench.chip(0.0, 2);
    for token in 1..6 {
        chip.pass(&[Some(token), Some(2 * token), Some(99 - token), Some(7)], TokenOptions::default()).unwrap();
    }
    let cycles = &chip.totals.cycles;
    assert!(cycles[1..].iter().all(|c| *c == cycles[1]), "{cycles:?}");
}

/// A slice whose control depends on its numbers is found in the cycle it leaves the others.
#[test]
fn a_slice_that_leaves_the_others_is_found() {
    let bench = Bench::new(config(2, 4), 32, 1);
    let mut broken = print(&core(&bench.config)).unwrap();
    let text = broken.files.get_mut("anser_vec_write.sv").unwrap();
    let from = "to_vmem_i && !vw_ready_i;";
    assert!(text.contains(from), "vec_write has changed: choose another line to break");
    // a word with a certain number in it is held for one cycle
    *text = text.replace(from, "to_vmem_i && (!vw_ready_i || (en_q && &o_i[3:0]));");
    let model = view(&bench.golden, &StreamLayout::of(&bench.golden));
    let mut chip =
        Chip::with_core(&bench.config, &broken, bench.golden.clone(), &model, bench.image, &ChipOptions::default())
            .unwrap();
    let error = (1..9).find_map(|t| chip.pass(&[Some(t), Some(50 + t)], TokenOptions::default()).err());
    assert!(matches!(error, Some(ChipError::Session(SessionError::Apart { .. }))), "{error:?}");
}

/// The slots of a short head read too early if nothing holds them, and the comparison says so.
#[test]
fn a_state_that_is_read_too_early_is_found() {
    let bench = Bench::new(config(4, 16), 16, 3);
    let mut broken = print(&core(&bench.config)).unwrap();
    let text = broken.files.get_mut("anser_wkv_pass1.sv").unwrap();
    let from = "open_q < head_total_i";
    assert!(text.contains(from), "wkv_pass1 has changed: choose another line to break");
    *text = text.replace(from, "open_q < head_total_i + 14'd64");
    let model = view(&bench.golden, &StreamLayout::of(&bench.golden));
    let mut chip =
        Chip::with_core(&bench.config, &broken, bench.golden.clone(), &model, bench.image, &ChipOptions::default())
            .unwrap();
    let runs = (0..3).map(|i| chip.prefill(0, &[i, 50 + i, 20, 99], false, TokenOptions::default()).unwrap());
    let found = runs.filter_map(|r| r.result.outcome.first).next().map(|first| first.to_string());
    assert!(found.as_ref().is_some_and(|f| f.contains("att.")), "{found:?}");
}
