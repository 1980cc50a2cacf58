//! Networks with 4-bit weights: quality against floating point, what an image says of them, and that old images still load.

mod common;

use common::{awkward_shape, random_pair, shakespeare};
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::Checkpoint;
use golden_model::image::{write, Image};
use golden_model::network::model::QModel;
use golden_model::network::recipe::Rounding;
use golden_model::network::session::{FloatSession, GoldenSession};
use golden_model::network::tensors::QTensor;
use golden_model::quantise::calibrate::calibrate_operands;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::{quantise, quantise_with, QuantiseError};
use golden_model::text::eval::evaluate;
use sha2::Digest;
use std::path::Path;

fn w4() -> QuantOptions {
    QuantOptions { bits: WeightBits::W4, ..QuantOptions::default() }
}

fn bits(model: &QModel, name: &str) -> WeightBits {
    let all = model.tensors();
    let found = all.iter().find_map(|(n, t)| match t {
        QTensor::Matrix(m) if n == name => Some(m.bits()),
        _ => None,
    });
    found.expect(name)
}

#[test]
fn compensated_rounding_keeps_the_text() {
    let (pair, text) = shakespeare(&w4());
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let checkpoint = Checkpoint::open(models.join("shakespeare.safetensors")).unwrap();
    let trained: Vec<u32> =
        std::fs::read(models.join("text/tinyshakespeare.txt")).unwrap()[..1024].iter().map(|b| u32::from(*b)).collect();
    let (ranges, operands) = calibrate_operands(&pair.weights, &trained, true, |_| {}).unwrap();
    let options = QuantOptions { round: Rounding::Gptq, ..w4() };
    let compensated = quantise_with(&checkpoint, &ranges, Some(&operands), &options).unwrap().model;
    assert!(matches!(quantise(&checkpoint, &ranges, &options), Err(QuantiseError::NoOperands)));

    // 4 bits by columns, too, plain and compensated: what of the error is left is in the recipe
    let value = |round| {
        let options = QuantOptions { round, value: Some(WeightBits::W4Columns), ..w4() };
        let model = quantise_with(&checkpoint, &ranges, Some(&operands), &options).unwrap().model;
        let records = model.f.recipe.as_ref().unwrap().tensors.clone();
        let errors = records.into_iter().filter(|r| r.tensor.ends_with("ffn.value.weight"));
        let errors: Vec<f64> = errors.map(|r| (r.format.round == round).then_some(r.output_error).unwrap()).collect();
        assert_eq!(errors.len(), model.shape.n_layer);
        (model, errors)
    };
    let (columns, columns_errors) = value(Rounding::Plain);
    let (columns_gptq, gptq_errors) = value(Rounding::Gptq);
    for (plain, gptq) in columns_errors.iter().zip(&gptq_errors) {
        assert!(*plain < 0.01 && *gptq < 0.7 * plain, "{columns_errors:?} {gptq_errors:?}");
    }

    let text = &text[..400];
    let kl = |model: &QModel| {
        let mut float = FloatSession::new(&pair.weights);
        let got = evaluate(&mut GoldenSession::new(model), Some(&mut float), text, |_| Some(1), |_| {}).unwrap();
        (got.against.unwrap().kl, got.bits_per_token)
    };
    let exact = evaluate(&mut FloatSession::new(&pair.weights), None::<&mut FloatSession>, text, |_| Some(1), |_| {});
    let exact = exact.unwrap().bits_per_token;
    let (plain, gptq) = (kl(&pair.model), kl(&compensated));
    eprintln!("float {exact}, plain {plain:?}, gptq {gptq:?}");
    assert!(plain.0 < 0.05 && gptq.0 < 0.8 * plain.0, "{plain:?} {gptq:?}");
    let (columns, columns_gptq) = (kl(&columns), kl(&columns_gptq));
    eprintln!("with 4 bits by columns: plain {columns:?}, gptq {columns_gptq:?}");
    assert!(columns.0 < 1.6 * plain.0 && columns_gptq.0 < 0.9 * columns.0, "{columns:?} {columns_gptq:?}");
    assert!((gptq.1 - exact).abs() < 0.02 * exact && (plain.1 - exact).abs() < 0.04 * exact);
}

#[test]
fn which_tensors_have_four_bits() {
    // a head as small as this one keeps 8 bits unless told otherwise
    for head in [None, Some(WeightBits::W8), Some(WeightBits::W4)] {
        let (pair, _) = random_pair(&awkward_shape(), 3, 1.0, 8, &QuantOptions { head, ..w4() });
        assert_eq!(bits(&pair.model, "head.weight"), head.unwrap_or(WeightBits::W8));
        assert_eq!(bits(&pair.model, "blocks.1.att.key.weight"), WeightBits::W4);
        assert_eq!(bits(&pair.model, "blocks.1.ffn.value.weight"), WeightBits::W8);
        assert_eq!(bits(&pair.model, "blocks.1.att.w2"), WeightBits::W16);
    }
    let columns = Some(WeightBits::W4Columns);
    for all in [WeightBits::W4, WeightBits::W8] {
        let options = QuantOptions { bits: all, value: columns, ..QuantOptions::default() };
        let (pair, _) = random_pair(&awkward_shape(), 3, 1.0, 8, &options);
        assert_eq!(Some(bits(&pair.model, "blocks.1.ffn.value.weight")), columns);
        assert_eq!(bits(&pair.model, "blocks.1.att.key.weight"), all);
    }
}

#[test]
fn an_image_says_how_it_was_rounded_and_old_ones_load() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.anser");
    let (pair, _) = random_pair(&awkward_shape(), 3, 1.0, 8, &w4());
    write(&pair.model, &path).unwrap();
    let image = Image::open(&path).unwrap();
    assert_eq!(image.formats().0.recipe, Some(QuantOptions { head: Some(WeightBits::W8), ..w4() }.recipe()));
    assert_eq!(image.model().unwrap(), pair.model);

    // version 1: the same file without the recipe
    let (pair, _) = random_pair(&awkward_shape(), 3, 1.0, 8, &QuantOptions::default());
    let mut old = pair.model;
    old.f.recipe = None;
    write(&old, &path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 1;
    let sum = sha2::Sha256::new().chain_update(&bytes[..32]).chain_update(&bytes[64..]).finalize();
    bytes[32..64].copy_from_slice(&sum);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(Image::open(&path).unwrap().model().unwrap(), old);
}
