//! How fast the integer step is, piece by piece: `cargo bench -p golden-model`. Nothing here is a test.
//!
//! `ANSER_BENCH_IMAGE` names an .anser image to take instead of the project's own model.

use divan::counter::{BytesCount, ItemsCount};
use divan::{black_box, Bencher};
use golden_model::arithmetic::vector_ops::SaturationCounts;
use golden_model::checkpoint::Checkpoint;
use golden_model::fast::isa::Isa;
use golden_model::fast::kernels::{column_run, nibble_run, w16, w4, w8, Columns, LINE, PANEL};
use golden_model::fast::operand::Operand;
use golden_model::fast::{default_threads, from_image, from_model, Runner, Weights};
use golden_model::image::nibble_columns::column_bytes;
use golden_model::image::Image;
use golden_model::network::integer_step::{step, IntState, NoTaps};
use golden_model::quantise::calibrate::{calibrate, random_tokens};
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise;
use std::path::Path;
use std::sync::{Arc, OnceLock};

fn main() {
    divan::main();
}

/// Columns of a panel: 0.1B's width.
const COLUMNS: usize = 768;

fn own_model() -> golden_model::network::model::QModel {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/shakespeare.safetensors");
    let checkpoint = Checkpoint::open(&path).expect("the project's model");
    let weights = golden_model::checkpoint::weights::Weights::read(&checkpoint).expect("the project's model");
    let ranges = calibrate(&weights, &random_tokens(256, 64), |_| {});
    quantise(&checkpoint, &ranges, &QuantOptions::default()).expect("the project's model").model
}

fn weights() -> Arc<Weights> {
    static WEIGHTS: OnceLock<Arc<Weights>> = OnceLock::new();
    let make = || match std::env::var_os("ANSER_BENCH_IMAGE") {
        Some(path) => {
            let image = Image::open(Path::new(&path)).unwrap_or_else(|e| panic!("{e}"));
            from_image(image).unwrap_or_else(|e| panic!("{e}"))
        }
        None => from_model(&own_model()).unwrap_or_else(|e| panic!("{e}")),
    };
    WEIGHTS.get_or_init(|| Arc::new(make())).clone()
}

fn threads() -> Vec<usize> {
    let all = default_threads();
    if all > 1 {
        vec![1, all]
    } else {
        vec![1]
    }
}

fn sets() -> Vec<&'static str> {
    Isa::all().into_iter().map(Isa::name).collect()
}

fn isa(name: &str) -> Isa {
    Isa::all().into_iter().find(|isa| isa.name() == name).unwrap_or(Isa::best())
}

/// Panels of 32 rows times 1 and 4 vectors, from the first cache: the bound of reading a prompt.
#[divan::bench(args = sets(), consts = [1, 4])]
fn panel_w8<const N: usize>(bencher: Bencher, set: &str) {
    let tile = vec![0x5au8; COLUMNS * 16];
    let operands: Vec<Operand> = (0..N).map(|i| Operand::from_mantissas(&[i as i16 * 999 - 7; COLUMNS])).collect();
    let x: Vec<&Operand> = operands.iter().collect();
    let mut acc = vec![[0; PANEL]; N];
    bencher
        .counter(ItemsCount::new(PANEL * COLUMNS * N))
        .bench_local(|| w8(isa(set), [black_box(&tile), &tile], COLUMNS, &x, &mut acc));
}

#[divan::bench(args = sets(), consts = [1, 4])]
fn panel_w16<const N: usize>(bencher: Bencher, set: &str) {
    let tile = vec![0x5au8; COLUMNS * 16];
    let operands: Vec<Operand> = (0..N).map(|i| Operand::from_mantissas(&[i as i16 * 999 - 7; COLUMNS])).collect();
    let x: Vec<&Operand> = operands.iter().collect();
    let mut acc = vec![[0; PANEL]; N];
    bencher
        .counter(ItemsCount::new(PANEL * COLUMNS * N))
        .bench_local(|| w16(isa(set), [black_box(&tile), &tile, &tile, &tile], COLUMNS, &x, &mut acc));
}

#[divan::bench(args = sets(), consts = [1, 4])]
fn panel_w4<const N: usize>(bencher: Bencher, set: &str) {
    let groups = COLUMNS / 32;
    let tile = vec![0x5au8; groups * 272];
    let operands: Vec<Operand> = (0..N).map(|i| Operand::from_mantissas(&[i as i16 * 999 - 7; COLUMNS])).collect();
    let x: Vec<&Operand> = operands.iter().collect();
    let mut acc = vec![[0; PANEL]; N];
    bencher
        .counter(ItemsCount::new(PANEL * COLUMNS * N))
        .bench_local(|| w4(isa(set), [black_box(&tile), &tile], groups, &x, &mut acc));
}

/// Every other one of the columns of 0.1B's `ffn.value`.
#[divan::bench(args = sets())]
fn every_other_column(bencher: Bencher, set: &str) {
    let bytes = vec![0x5au8; 4 * COLUMNS * COLUMNS];
    let weights = Columns { bytes: &bytes, stride: COLUMNS };
    let used: Vec<u16> = (0..4 * COLUMNS as u16).step_by(2).collect();
    let x = vec![-777; used.len()];
    let mut acc = vec![[0; LINE]; COLUMNS / LINE];
    bencher
        .counter(BytesCount::new(used.len() * COLUMNS))
        .bench_local(|| column_run(isa(set), black_box(&weights), &used, &x, &mut acc));
}

/// Reads every other column of a matrix of 4 bits.
#[divan::bench(args = sets())]
fn every_other_column_of_nibbles(bencher: Bencher, set: &str) {
    let bytes = vec![0x5au8; 4 * COLUMNS * column_bytes(COLUMNS)];
    let used: Vec<u16> = (0..4 * COLUMNS as u16).step_by(2).collect();
    let x = vec![-777; used.len()];
    let mut acc = vec![0; COLUMNS];
    bencher
        .counter(BytesCount::new(used.len() * column_bytes(COLUMNS)))
        .bench_local(|| nibble_run(isa(set), black_box(&bytes), COLUMNS, 0, &used, &x, &mut acc));
}

/// Reading the weights and nothing else: the bound of decoding.
#[divan::bench(args = threads())]
fn read_only(bencher: Bencher, threads: usize) {
    let mut runner = Runner::new(weights(), threads);
    bencher.counter(BytesCount::new(runner.weight_bytes())).bench_local(|| runner.read_weights());
}

#[divan::bench(args = threads())]
fn decode(bencher: Bencher, threads: usize) {
    let mut runner = Runner::new(weights(), threads);
    let mut session = runner.session();
    let tokens = random_tokens(runner.weights().shape.vocab_size, 256);
    let mut next = tokens.iter().cycle();
    bencher
        .counter(ItemsCount::new(1u32))
        .bench_local(|| next.next().map(|token| runner.step(&mut session, *token).map(|logits| logits[0])));
}

#[divan::bench(args = threads())]
fn prompt_of_256(bencher: Bencher, threads: usize) {
    let mut runner = Runner::new(weights(), threads);
    let tokens = random_tokens(runner.weights().shape.vocab_size, 256);
    bencher.counter(ItemsCount::new(256u32)).bench_local(|| {
        let mut session = runner.session();
        runner.prefill(&mut session, &tokens).map(|logits| logits[0])
    });
}

/// Several conversations at once, one token each.
#[divan::bench(args = [1, 4, 16])]
fn sessions(bencher: Bencher, n: usize) {
    let mut runner = Runner::new(weights(), default_threads());
    let mut sessions = vec![runner.session(); n];
    let tokens = random_tokens(runner.weights().shape.vocab_size, n);
    bencher.counter(ItemsCount::new(n)).bench_local(|| runner.batch(&mut sessions, &tokens, |_, _| {}));
}

/// The specification, for comparison; always the project's own model.
#[divan::bench]
fn specification(bencher: Bencher) {
    let model = own_model();
    let (mut state, mut sat) = (IntState::new(&model), SaturationCounts::default());
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| step(&model, 65, &mut state, &mut sat, &mut NoTaps));
}
