//! The trained network of the repository on its task, in floats and in integers.

use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::Checkpoint;
use golden_model::fast;
use golden_model::network::session::{FloatSession, GoldenSession};
use golden_model::quantise::calibrate::calibrate;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise;
use golden_model::tracking::{measure, Point, Task};
use std::path::PathBuf;
use std::sync::Arc;

fn model() -> (Checkpoint, Task) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/track-a5.safetensors");
    let checkpoint = Checkpoint::open(path).unwrap();
    let about = checkpoint.metadata();
    let task = Task::new(&about["group"], about["ticks"].parse().unwrap(), checkpoint.shape().vocab_size).unwrap();
    (checkpoint, task)
}

#[test]
fn floats_and_integers_know_every_product() {
    let (checkpoint, task) = model();
    assert_eq!((task.group.name(), checkpoint.shape().n_layer), ("A5", 2));
    let weights = Weights::read(&checkpoint).unwrap();
    let (lengths, sequences, seed) = ([4, 40], 4, 11);
    let all = |points: &[Point]| points.iter().all(|p| p.right == p.answers && p.right_throughout == sequences);
    let float = measure(&task, || FloatSession::new(&weights), &lengths, sequences, seed, |_| ()).unwrap();
    assert!(all(&float), "{float:?}");
    let ranges = calibrate(&weights, &task.tokens(u64::MAX, 0, 16), |_| ());
    for state_bits in [24, 16] {
        let options = QuantOptions { state_bits, ..QuantOptions::default() };
        let model = quantise(&checkpoint, &ranges, &options).unwrap().model;
        let specification =
            measure(&task, || GoldenSession::new(&model), &lengths[..1], sequences, seed, |_| ()).unwrap();
        assert!(all(&specification), "{state_bits}: {specification:?}");
        let model = Arc::new(fast::from_model(&model).unwrap());
        let fast = measure(&task, || fast::Conversation::new(&model, 1), &lengths, sequences, seed, |_| ()).unwrap();
        assert_eq!(fast, float, "{state_bits}");
    }
}

/// Words spelled backwards are another product: a network that is right on them would be right about nothing.
#[test]
fn the_order_of_the_words_matters() {
    let (checkpoint, task) = model();
    let weights = Weights::read(&checkpoint).unwrap();
    let mut backwards = task.clone();
    backwards.group = task.group.opposite();
    let points = measure(&backwards, || FloatSession::new(&weights), &[1, 8], 4, 11, |_| ()).unwrap();
    assert_eq!(points[0].accuracy(), 1.0, "one element has no order");
    assert!(points[1].accuracy() < 0.5, "{points:?}");
}
