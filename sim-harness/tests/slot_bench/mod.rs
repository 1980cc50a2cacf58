//! Bench of chips with several sessions: random texts and prompts, each compared with itself alone.

use golden_model::arithmetic::vector_ops::SaturationCounts;
use golden_model::checkpoint::Shape;
use golden_model::image::layout::{stream, StreamLayout};
use golden_model::network::integer_step::{step, IntState, NoTaps};
use golden_model::network::model::QModel;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::random::random_model;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::core::core;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use rtl_gen::program::model::view;
use sim_harness::chip::{Chip, ChipOptions};
use sim_harness::session::TokenOptions;

/// Asks for logits.
pub const LOGITS: TokenOptions = TokenOptions { logits: true, timeline: false };

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
        deep_embed: false,
    }
}

/// The logits of `text`, token by token, for a session that has the golden model for itself.
pub fn alone(golden: &QModel, text: &[u32]) -> Vec<Vec<i32>> {
    let mut state = IntState::new(golden);
    let mut sat = SaturationCounts::default();
    text.iter().map(|t| step(golden, *t as usize, &mut state, &mut sat, &mut NoTaps)).collect()
}

pub struct Bench {
    pub golden: QModel,
    pub image: &'static [u8],
    pub config: Config,
}

impl Bench {
    pub fn new(config: Config, head_size: usize, seed: u64) -> Self {
        let golden = random_model(&shape(head_size), &QuantOptions::default(), seed).unwrap();
        let image = Box::leak(stream(&golden).into_boxed_slice());
        Bench { golden, image, config }
    }

    pub fn chip(&self, stall: f64, seed: u64) -> Chip<'static> {
        let mut model = view(&self.golden, &StreamLayout::of(&self.golden));
        model.skip_columns = seed % 2 == 1;
        let options = ChipOptions { stall, seed, ..ChipOptions::default() };
        Chip::new(&self.config, self.golden.clone(), &model, self.image, &options).unwrap_or_else(|e| panic!("{e}"))
    }

    /// On a core that was broken: a line of one of its files replaced.
    pub fn broken(&self, file: &str, from: &str, to: &str) -> Chip<'static> {
        let mut core = print(&core(&self.config)).unwrap();
        let text = core.files.get_mut(file).unwrap_or_else(|| panic!("no {file}"));
        assert!(text.contains(from), "{file} has changed: choose another line to break");
        *text = text.replace(from, to);
        let model = view(&self.golden, &StreamLayout::of(&self.golden));
        Chip::with_core(&self.config, &core, self.golden.clone(), &model, self.image, &ChipOptions::default()).unwrap()
    }
}

/// Random texts, at work and at rest in turn, some begun anew.
pub fn texts(bench: &Bench, stall: f64, seed: u64, passes: usize) {
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

/// A prompt read side by side leaves the same state as one read token by token, and the other sessions as they were.
pub fn prompts(bench: &Bench, stall: f64, seed: u64) {
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

/// Equal work takes equal time from the second pass on, whatever the texts of four slots are.
pub fn same_cycles(bench: &Bench) {
    let mut chip = bench.chip(0.0, 2);
    for token in 1..6 {
        chip.pass(&[Some(token), Some(2 * token), Some(99 - token), Some(7)], TokenOptions::default()).unwrap();
    }
    let cycles = &chip.totals.cycles;
    assert!(cycles[1..].iter().all(|c| *c == cycles[1]), "{cycles:?}");
}
