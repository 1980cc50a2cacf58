//! Random checkpoints: any shape, always the same, and networks that stay sane.

use golden_model::checkpoint::random::{official_shape, write_random};
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Dtype, Format, Shape};
use golden_model::network::float_step::{no_tap, step, FloatState};
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::random::random_model;

fn small() -> Shape {
    official_shape(3, 32, 16, 50).unwrap()
}

#[test]
fn ranks_are_those_of_the_released_networks() {
    let ranks = |n_embd| {
        let s = official_shape(12, n_embd, 64, 65_536).unwrap();
        [s.rank_w, s.rank_a, s.rank_v, s.rank_g]
    };
    assert_eq!(ranks(768), [64, 64, 32, 128]);
    assert_eq!(ranks(2048), [96, 96, 64, 256]);
    assert_eq!(ranks(2560), [96, 96, 64, 320]);
    assert_eq!(official_shape(12, 768, 64, 65_536).unwrap().n_params(), 191_034_624);
}

#[test]
fn every_shape_reads_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.safetensors");
    let odd = Shape {
        n_layer: 2,
        n_embd: 128,
        n_head: 1,
        head_size: 128,
        vocab_size: 7,
        dim_ffn: 33,
        rank_w: 1,
        rank_a: 2,
        rank_v: 3,
        rank_g: 5,
        deep_embed: false,
    };
    let deep = Shape { deep_embed: true, ..odd.clone() };
    let mut shapes = vec![
        (small(), Dtype::F16),
        (deep, Dtype::F32),
        (odd, Dtype::F32),
        (official_shape(1, 16, 16, 1).unwrap(), Dtype::F32),
    ];
    shapes.extend([16, 32, 64, 128].map(|head_size| (official_shape(2, 128, head_size, 300).unwrap(), Dtype::F16)));
    for (shape, dtype) in shapes {
        let n = write_random(&path, &shape, dtype, 1).unwrap();
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(checkpoint.format(), Format::Safetensors);
        assert_eq!(checkpoint.shape(), &shape);
        assert_eq!(n, shape.n_params());
        assert_eq!(n, checkpoint.tensors().map(|t| t.len() as u64).sum::<u64>());
        assert!(checkpoint.tensors().all(|t| t.dtype == dtype));
        Weights::read(&checkpoint).unwrap();
    }
}

#[test]
fn the_seed_and_nothing_else_decides() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, seed| {
        write_random(&dir.path().join(name), &small(), Dtype::F16, seed).unwrap();
        std::fs::read(dir.path().join(name)).unwrap()
    };
    let first = write("a", 1);
    assert_eq!(first, write("b", 1));
    assert_ne!(first, write("c", 2));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3, "temporary files are gone");
}

#[test]
fn impossible_requests_say_why() {
    let text = |r: Result<Shape, _>| {
        r.map(|_| ()).map_err(|e: golden_model::checkpoint::random::RandomError| e.to_string()).unwrap_err()
    };
    assert_eq!(text(official_shape(2, 100, 64, 256)), "head-size 64 does not divide embd 100");
    assert_eq!(text(official_shape(0, 64, 64, 256)), "layers is 0, expected 1 to 16777216");
    assert!(text(official_shape(1 << 20, 1 << 20, 64, 256)).contains("more than 137438953472 parameters"));
    let path = std::path::Path::new("/no/such/folder/r.safetensors");
    let e = write_random(path, &small(), Dtype::F16, 0).unwrap_err().to_string();
    assert!(e.starts_with("/no/such/folder/r.safetensors: cannot be written: "), "{e}");
    let empty = Shape { rank_g: 0, ..small() };
    let e = write_random(path, &empty, Dtype::F16, 0).unwrap_err().to_string();
    assert_eq!(e, "tensor blocks.0.att.g1 = (n_embd, rank_g) would be empty");
}

/// Over thousands of tokens nothing grows, and the network does not die either.
#[test]
fn activations_stay_sane_over_thousands_of_tokens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.safetensors");
    write_random(&path, &official_shape(4, 64, 32, 256).unwrap(), Dtype::F16, 3).unwrap();
    let weights = Weights::load(&path).unwrap();
    let mut state = FloatState::new(&weights.shape);
    let (mut largest, mut token) = ([0f32; 2], 1u32);
    let mut decay = [1f32, 0f32]; // smallest and largest 1 - w
    let mut distinct = std::collections::BTreeSet::new();
    for i in 0..4000 {
        let half = &mut largest[i / 2000];
        let logits = step(&weights, token, &mut state, &mut |_, name: &'static str, values: &[f32]| {
            if name == "att.d" {
                decay = values.iter().fold(decay, |[low, high], &d| [low.min(d), high.max(d)]);
            }
            *half = values.iter().fold(*half, |m, v| if v.is_finite() { m.max(v.abs()) } else { f32::INFINITY });
        });
        token = (token * 5 + 17 + i as u32 / 256) % 256;
        distinct.insert((0..256).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap());
    }
    eprintln!("largest value in each half: {largest:?}; {} different best tokens", distinct.len());
    assert!(largest[0] < 200.0 && largest[1] < 200.0 && largest[1] < 1.5 * largest[0], "{largest:?}");
    assert!(distinct.len() > 20);
    assert!(decay[0] < 1e-3 && decay[1] > 0.2, "decays are spread: {decay:?}");
    step(&weights, 0, &mut state, &mut no_tap);
}

#[test]
fn a_random_network_in_integers_is_that_of_its_checkpoint() {
    let options = QuantOptions::default();
    let model = random_model(&small(), &options, 5).unwrap();
    assert_eq!(model.shape, small());
    assert!(model == random_model(&small(), &options, 5).unwrap(), "the same arguments, another network");
    assert!(model != random_model(&small(), &options, 6).unwrap(), "the seed does not count");
    let empty = Shape { rank_g: 0, ..small() };
    let e = random_model(&empty, &options, 0).unwrap_err().to_string();
    assert!(e.contains("would be empty"), "{e}");
}
