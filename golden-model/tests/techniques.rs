//! Branches, clustered heads, formats of each tensor's own: what an image holds comes back, the fast step agrees with the specification to
//! the bit, and each does what it is for.

mod common;

use common::{awkward_shape, random_pair, shakespeare, Pair};
use golden_model::arithmetic::fixed::Saturations;
use golden_model::arithmetic::tensor::{QMatrix, QWeights, WeightBits};
use golden_model::arithmetic::vector_ops::{add, matvec, matvec_rows, Operand, SaturationCounts};
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape};
use golden_model::fast::{from_image, from_model, Runner};
use golden_model::image::layout::{decode_order, encode};
use golden_model::image::{write, Image};
use golden_model::network::clusters::ClusterForm;
use golden_model::network::integer_step::{argmax, step, IntState};
use golden_model::network::model::QModel;
use golden_model::network::recipe::{Rounding, TensorFormat};
use golden_model::network::tensors::QTensor;
use golden_model::quantise::calibrate::{calibrate_operands, random_tokens};
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise_with;
use golden_model::quantise::search::{candidates, pick, Space};
use proptest::prelude::*;
use sha2::Digest;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A random network quantised with operands of `n` tokens, and those tokens.
fn random(shape: &Shape, seed: u64, n: usize, options: &QuantOptions) -> (QModel, Vec<u32>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("random.safetensors");
    common::random(shape, seed, 1.0, &path);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let tokens = random_tokens(shape.vocab_size, n);
    let (ranges, operands) =
        calibrate_operands(&Weights::read(&checkpoint).unwrap(), &tokens, options.value.is_some(), |_| {}).unwrap();
    (quantise_with(&checkpoint, &ranges, Some(&operands), options).unwrap().model, tokens)
}

fn branched() -> QuantOptions {
    // the head has 4 bits and a branch, too; one matrix has neither, one a larger branch than what follows it
    let plain = TensorFormat { bits: WeightBits::W8, round: Rounding::Plain, branch: 0 };
    let larger = TensorFormat { bits: WeightBits::W4, round: Rounding::Plain, branch: 7 };
    QuantOptions {
        bits: WeightBits::W4,
        head: Some(WeightBits::W4),
        round: Rounding::Gptq,
        branch: 3,
        tensors: [("blocks.1.att.value.weight".to_string(), plain), ("blocks.0.att.output.weight".to_string(), larger)]
            .into(),
        ..QuantOptions::default()
    }
}

fn clustered(visit: u32) -> QuantOptions {
    let form = ClusterForm { clusters: 4, size: 32, visit };
    QuantOptions { clusters: Some(form), ..QuantOptions::default() }
}

/// 101 tokens: the last cluster has padding.
fn clustered_shape() -> Shape {
    Shape { vocab_size: 101, ..awkward_shape() }
}

/// The image gives the model back; the fast step, from memory and from the image, gives the specification's bits.
fn same_everywhere(model: &QModel, tokens: &[u32]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.anser");
    write(model, &path).unwrap();
    let image = Image::open(&path).unwrap();
    assert!(&image.model().unwrap() == model, "the image holds another model");
    let mut state = IntState::new(model);
    let mut sat = SaturationCounts::default();
    let want: Vec<Vec<i32>> = tokens
        .iter()
        .map(|t| step(model, *t as usize, &mut state, &mut sat, &mut golden_model::network::integer_step::NoTaps))
        .collect();
    for weights in [from_model(model).unwrap(), from_image(image).unwrap()] {
        let mut runner = Runner::new(Arc::new(weights), 2);
        let mut session = runner.session();
        for (token, want) in tokens.iter().zip(&want) {
            assert_eq!(runner.step(&mut session, *token).unwrap(), want);
        }
        assert_eq!((&session.state, session.saturations), (&state, sat));
        // several rows at once
        let mut session = runner.session();
        assert_eq!(runner.prefill(&mut session, tokens).unwrap(), want.last().unwrap());
        assert_eq!(session.state, state);
    }
}

#[test]
fn branches_are_the_same_everywhere() {
    for seed in [1, 2] {
        let (model, tokens) = random(&awkward_shape(), seed, 40, &branched());
        assert_eq!(model.layers[1].branches.len(), 4);
        assert!(model.head_branch.is_some() && model.layers[0].branches.contains_key("ffn.key.weight"));
        same_everywhere(&model, &tokens);
    }
}

/// The sum is the one addition of `docs/integer-step.md`.
#[test]
fn a_branch_is_added_once() {
    let (model, tokens) = random(&awkward_shape(), 3, 20, &branched());
    let mut seen: BTreeMap<(usize, &str), Vec<i32>> = BTreeMap::new();
    let mut state = IntState::new(&model);
    step(&model, tokens[0] as usize, &mut state, &mut SaturationCounts::default(), &mut |l: usize, name, v: &[i32]| {
        seen.insert((l, name), v.to_vec());
    });
    for (l, stem, result) in
        [(0, "att.key", "att.k"), (1, "att.output", "att.out"), (2, "ffn.key", "ffn.k"), (3, "head", "logits")]
    {
        let get = |part: &str| {
            seen.iter()
                .find(|((layer, name), _)| *layer == l && *name == format!("{stem}.{part}"))
                .map(|(_, v)| v)
                .unwrap()
        };
        let (w, u) = (get("w"), get("u"));
        assert_eq!(get("t").len(), 3);
        assert!(u.iter().any(|u| *u != 0), "{stem}");
        assert_eq!(add(w, u, &mut Saturations::default()), seen[&(l, result)], "{stem}");
    }
}

#[test]
fn clusters_are_the_same_everywhere() {
    for visit in [1, 2, 4] {
        let (model, tokens) = random(&clustered_shape(), 5, 40, &clustered(visit));
        same_everywhere(&model, &tokens);
    }
}

/// Whatever is visited has exactly the full head's logit, everything else less than the largest of those.
#[test]
fn visited_logits_are_exact() {
    let shape = clustered_shape();
    let full = random(&shape, 6, 40, &QuantOptions::default()).0;
    for visit in 1..=4 {
        let (model, tokens) = random(&shape, 6, 40, &clustered(visit));
        let clusters = model.clusters.clone().unwrap();
        let mut states = [IntState::new(&full), IntState::new(&model)];
        for token in &tokens {
            let [exact, got] = [(&full, 0), (&model, 1)].map(|(m, i)| {
                let sat = &mut SaturationCounts::default();
                step(m, *token as usize, &mut states[i], sat, &mut golden_model::network::integer_step::NoTaps)
            });
            let clusters =
                clusters.order.chunks(32).map(|c| c.iter().filter(|t| (**t as usize) < 101).map(|t| *t as usize));
            let visited: Vec<Vec<usize>> =
                clusters.map(|c| c.collect::<Vec<_>>()).filter(|c| c.iter().all(|t| got[*t] == exact[*t])).collect();
            assert!(visited.len() >= visit as usize, "{} of {visit}", visited.len());
            let best = argmax(&got);
            assert_eq!(got[best], exact[best], "the most likely token was not visited");
            if visit == 4 {
                assert_eq!(got, exact);
            }
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let (model, _) = random(&clustered_shape(), 5, 10, &clustered(2));
    let refused = |change: &dyn Fn(&mut QModel), says: &str| {
        let mut bad = model.clone();
        change(&mut bad);
        let message = bad.check().expect_err(says).to_string();
        assert!(message.contains(says), "{message}");
    };
    let form = |m: &mut QModel, change: fn(&mut ClusterForm)| change(&mut m.clusters.as_mut().unwrap().form);
    refused(&|m| form(m, |f| f.visit = 5), "clusters");
    refused(&|m| form(m, |f| f.visit = 0), "clusters");
    refused(&|m| form(m, |f| f.size = 16), "clusters");
    refused(&|m| m.clusters.as_mut().unwrap().order[0] = 101, "head.order");
    refused(&|m| m.clusters.as_mut().unwrap().order.swap(0, 127), "head.order");
    refused(&|m| m.clusters.as_mut().unwrap().order.truncate(100), "head.order");
    refused(&|m| m.clusters.as_mut().unwrap().centroids.rows = 3, "head.centroids");
    // bits by columns where no columns are skipped, and the other way round
    let key = random(&clustered_shape(), 5, 10, &QuantOptions { value: Some(WeightBits::W4Columns), ..clustered(2) }).0;
    for (name, says) in [("att.output", "4-bit weights by rows"), ("ffn.value", "by columns")] {
        let mut bad = key.clone();
        let layer = &mut bad.layers[0];
        match name {
            "ffn.value" => {
                let QWeights::W4Columns { q, .. } = &layer.ffn.value.q else { panic!("not 4 bits by columns") };
                let gs = vec![1; layer.ffn.value.rows * layer.ffn.value.cols.div_ceil(32)];
                layer.ffn.value.q = QWeights::W4 { q: q.clone(), gs };
            }
            _ => {
                let m = &mut layer.att.output;
                m.q = QWeights::W4Columns { q: vec![0; m.rows * m.cols], gs: vec![1; m.cols * m.rows.div_ceil(32)] };
            }
        }
        let message = bad.check().expect_err(says).to_string();
        assert!(message.contains(says) && message.contains(name), "{message}");
    }
    let (model, _) = random(&awkward_shape(), 1, 10, &branched());
    let refused = |change: &dyn Fn(&mut QModel), says: &str| {
        let mut bad = model.clone();
        change(&mut bad);
        let message = bad.check().expect_err(says).to_string();
        assert!(message.contains(says), "{message}");
    };
    refused(&|m| m.head_branch.as_mut().unwrap().f_t = 40, "f_t");
    refused(&|m| m.layers[2].branches.get_mut("ffn.key.weight").unwrap().f_t = -40, "f_t");
    refused(&|m| m.layers[0].branches.get_mut("att.key.weight").unwrap().u.cols = 4, "att.key.branch_u");
    refused(&|m| m.layers[0].branches.get_mut("att.key.weight").unwrap().v.frac = 90, "key.branch_v");
    refused(&|m| m.layers[0].shifts.km += 1, "shifts");
}

/// An image of version 2 has none of this and says so with its number.
#[test]
fn images_of_version_2_load() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.anser");
    let (Pair { model, .. }, _) =
        random_pair(&awkward_shape(), 3, 1.0, 8, &QuantOptions { bits: WeightBits::W4, ..QuantOptions::default() });
    write(&model, &path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let json = String::from_utf8_lossy(&bytes[64..4096.min(bytes.len())]).into_owned();
    assert!(!json.contains("f_t") && !json.contains("clusters") && !json.contains("branch"), "{json}");
    bytes[8] = 2;
    let sum = sha2::Sha256::new().chain_update(&bytes[..32]).chain_update(&bytes[64..]).finalize();
    bytes[32..64].copy_from_slice(&sum);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(Image::open(&path).unwrap().model().unwrap(), model);
}

/// On the trained network: every step up costs bytes and takes error away, the search spends its budget well, and the image tells it.
#[test]
fn the_search_finds_formats_for_the_trained_network() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let checkpoint = Checkpoint::open(models.join("shakespeare.safetensors")).unwrap();
    let trained: Vec<u32> =
        std::fs::read(models.join("text/tinyshakespeare.txt")).unwrap()[..512].iter().map(|b| u32::from(*b)).collect();
    let mut weights = Weights::read(&checkpoint).unwrap();
    let (ranges, operands) = calibrate_operands(&weights, &trained, false, |_| {}).unwrap();
    // all but the first layer and the head have their formats already: a search of everything takes a minute here
    let plain = TensorFormat { bits: WeightBits::W4, round: Rounding::Plain, branch: 0 };
    let later = operands.names().filter(|n| n.starts_with("blocks.") && !n.starts_with("blocks.0."));
    let given: BTreeMap<String, TensorFormat> = later.map(|n| (n.to_string(), plain)).collect();
    let w4 = QuantOptions { bits: WeightBits::W4, tensors: given.clone(), ..QuantOptions::default() };
    let space = Space { ranks: vec![4], ..Space::default() };
    let mut steps = vec![];
    let head = weights.head.clone();
    let found = candidates(&checkpoint, &mut weights, (&operands, &trained), &w4, &space, |n| steps.push(n)).unwrap();
    assert_eq!(weights.head, head, "weights are put back");
    assert_eq!((steps, found.len()), ((1..=6).collect(), 6));
    for m in &found {
        let error = |i: usize| m.candidates[i].output_error;
        // plain, compensated, with a branch, 8 bits
        assert_eq!(m.candidates.len(), 4);
        assert!(error(1) < error(0) && error(2) < 0.9 * error(1) && error(3) < 0.1 * error(1), "{m:?}");
        assert!(m.candidates.windows(2).all(|c| c[0].bytes <= c[1].bytes), "{m:?}");
    }
    let weights: u64 = found.iter().map(|m| m.weights).sum();
    let picks = pick(&found, weights * 5 / 8);
    eprintln!("{} bytes of {}, cost {}, bound {}", picks.bytes, weights * 5 / 8, picks.cost, picks.bound);
    assert!(picks.bytes <= weights * 5 / 8 && picks.cost >= picks.bound);
    assert!(picks.cost < found.iter().map(|m| m.candidates[1].cost).sum(), "the rest of the budget is of use");
    let picked = found.iter().zip(&picks.picked).map(|(m, p)| (m.tensor.clone(), m.candidates[*p].format));
    let tensors: BTreeMap<_, _> = given.into_iter().chain(picked).collect();
    let options = QuantOptions { tensors: tensors.clone(), ..w4 };
    let model = quantise_with(&checkpoint, &ranges, Some(&operands), &options).unwrap().model;
    let recipe = model.f.recipe.as_ref().unwrap();
    assert_eq!(recipe.tensors.len(), tensors.len());
    for t in &recipe.tensors {
        assert_eq!(t.format, tensors[&t.tensor]);
        let Some(m) = found.iter().position(|m| m.tensor == t.tensor) else { continue };
        let c = &found[m].candidates[picks.picked[m]];
        assert_eq!((t.format, t.bytes), (c.format, c.bytes), "{}", t.tensor);
        assert!((t.output_error / c.output_error - 1.0).abs() < 0.2, "{t:?} {c:?}");
    }
}

/// Columns of `ffn.value` that meet a zero are not read, and nothing else changes.
#[test]
fn skipped_columns_change_nothing() {
    for value in [None, Some(WeightBits::W4Columns)] {
        skipped_columns_of(&QuantOptions { value, ..QuantOptions::default() });
    }
}

fn skipped_columns_of(options: &QuantOptions) {
    let (pair, text) = shakespeare(options);
    let mut runner = Runner::new(Arc::new(from_model(&pair.model).unwrap()), 1);
    let mut session = runner.session();
    let mut state = IntState::new(&pair.model);
    let mut zeros = vec![0u64; pair.model.shape.n_layer];
    for token in &text[..32] {
        let mut sat = SaturationCounts::default();
        let want =
            step(&pair.model, *token as usize, &mut state, &mut sat, &mut |l: usize, name: &'static str, v: &[i32]| {
                if name == "q.ffn.r2" {
                    zeros[l] += v.iter().filter(|q| **q == 0).count() as u64;
                }
            });
        assert_eq!(runner.step(&mut session, *token).unwrap(), want);
    }
    assert_eq!(runner.skipped_columns(), zeros);
    let (columns, rows) = (zeros.iter().sum::<u64>(), pair.model.shape.n_embd as u64);
    // four bits: gs in a unit of their own, then half the bytes
    let column = if options.value.is_some() { 64 + (rows / 2).next_multiple_of(64) } else { rows.next_multiple_of(64) };
    assert!(columns > 0 && runner.skipped_bytes() == columns * column);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Some rows of a product are those rows of it.
    #[test]
    fn a_product_of_some_rows(
        values in prop::collection::vec(-1f32..1.0, 40 * 7), x in prop::collection::vec(any::<i16>(), 7), from in 0usize..40, n in 0usize..40, shift in 0i32..48
    ) {
        let (m, _) = QMatrix::quantise(40, 7, |r| &values[r * 7..(r + 1) * 7], WeightBits::W8, 18);
        let x = Operand { q: x, e: 0 };
        let rows = from..(from + n).min(40);
        let mut all = Saturations::default();
        let whole = matvec(&m, &x, shift, &mut all);
        prop_assert_eq!(&matvec_rows(&m, rows.clone(), &x, shift, &mut Saturations::default()), &whole[rows]);
        let mut parts = Saturations::default();
        for half in [0..20, 20..40] {
            matvec_rows(&m, half, &x, shift, &mut parts);
        }
        prop_assert_eq!(parts, all);
    }

    /// Less frac is the same matrix as long as the row scales can make up for it.
    #[test]
    fn less_frac_is_the_same_matrix(values in prop::collection::vec(-1f32..1.0, 12), less in 0i32..24) {
        let (m, _) = QMatrix::quantise(3, 4, |r| &values[r * 4..(r + 1) * 4], WeightBits::W16, 26);
        let lower = m.clone().with_frac_at_most(26 - less);
        prop_assert_eq!(lower.frac, 26 - less);
        for r in 0..3 {
            let kept = i32::from(m.scales[r].e) + less <= 15;
            for c in 0..4 {
                prop_assert_eq!(lower.value(r, c), if kept { m.value(r, c) } else { 0.0 });
            }
        }
    }

    #[test]
    fn orders_come_back(order in prop::collection::vec(any::<u32>(), 1..200)) {
        let bytes = encode("head.order", &QTensor::Order(&order), 8);
        prop_assert_eq!(bytes.len() % 64, 0);
        prop_assert_eq!(decode_order(&bytes, order.len()), order);
    }
}
