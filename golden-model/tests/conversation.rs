//! A conversation that is saved and resumed goes on as if nothing had happened; a state of anything else is refused by name.

mod common;

use common::{awkward_shape, random};
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape};
use golden_model::conversation::file::{read, to_bytes, Read};
use golden_model::conversation::identity::Identity;
use golden_model::conversation::{tuned, Saved, State};
use golden_model::fast::{from_model, Runner};
use golden_model::image::layout::stream;
use golden_model::network::float_step::{no_tap, step, FloatState};
use golden_model::network::model::QModel;
use golden_model::quantise::calibrate::{calibrate, random_tokens};
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise;
use golden_model::text::generate::{Position, Sampler};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many places conversations are cut at.
const CUTS: usize = 100;
/// Tokens of a conversation.
const TOKENS: usize = 120;

struct Net {
    dir: tempfile::TempDir,
    checkpoint: Checkpoint,
    weights: Weights,
    model: QModel,
}

fn net(seed: u64, options: &QuantOptions) -> Net {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.safetensors");
    random(&awkward_shape(), seed, 1.5, &path);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let weights = Weights::read(&checkpoint).unwrap();
    let ranges = calibrate(&weights, &random_tokens(weights.shape.vocab_size, 64), |_| {});
    let model = quantise(&checkpoint, &ranges, options).unwrap().model;
    Net { dir, checkpoint, weights, model }
}

/// One backend in the middle of a conversation.
trait Talk {
    fn say(&mut self, token: u32) -> Vec<f64>;
    fn state(&self) -> State;
    fn go_on(&mut self, state: State);
}

struct Float<'a>(&'a Weights, FloatState);

impl Talk for Float<'_> {
    fn say(&mut self, token: u32) -> Vec<f64> {
        step(self.0, token, &mut self.1, &mut no_tap).into_iter().map(f64::from).collect()
    }
    fn state(&self) -> State {
        State::Float(self.1.clone())
    }
    fn go_on(&mut self, state: State) {
        let State::Float(state) = state else { panic!("{state:?}") };
        self.1 = state;
    }
}

struct Golden(Runner, golden_model::fast::Session);

impl Talk for Golden {
    fn say(&mut self, token: u32) -> Vec<f64> {
        let one = 2f64.powi(-self.0.weights().f.f_logits);
        self.0.step(&mut self.1, token).unwrap().iter().map(|v| f64::from(*v) * one).collect()
    }
    fn state(&self) -> State {
        State::Integer(self.1.state.clone())
    }
    fn go_on(&mut self, state: State) {
        let State::Integer(state) = state else { panic!("{state:?}") };
        self.1.state = state;
    }
}

/// Samples a text, then goes on from files that were saved at random places of it.
fn resumes(mut fresh: impl FnMut() -> Box<dyn Talk>, identity: &Identity, path: &Path) {
    let sampler = || Sampler::new(1.2, 0.9, 3).unwrap();
    let mut whole = (fresh(), sampler());
    let (mut said, mut logits, mut files) = (vec![], whole.0.say(7), vec![]);
    for i in 0..TOKENS {
        let (state, sampling) = (whole.0.state(), whole.1.position());
        files.push(to_bytes(identity, &Saved { state, logits: logits.clone(), tokens: i as u64 + 1, sampling }));
        said.push(whole.1.pick(&logits));
        logits = whole.0.say(said[i]);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for _ in 0..CUTS {
        let cut = rng.gen_range(0..TOKENS);
        std::fs::write(path, &files[cut]).unwrap();
        let Read::Saved(saved) = read(path, identity).unwrap() else { panic!("a conversation expected") };
        assert_eq!(to_bytes(identity, &saved), files[cut], "cut {cut}: what was read is what was written");
        let (mut rest, mut sampler, mut logits) = (fresh(), sampler(), saved.logits);
        rest.go_on(saved.state);
        sampler.resume(saved.sampling);
        for (i, expected) in said.iter().enumerate().skip(cut) {
            let token = sampler.pick(&logits);
            assert_eq!(token, *expected, "cut {cut}, token {i}");
            logits = rest.say(token);
        }
        assert_eq!(rest.state(), whole.0.state(), "cut {cut}");
    }
}

#[test]
fn floats_resume_at_any_token() {
    let net = net(1, &QuantOptions::default());
    let identity = Identity::of_checkpoint(&net.checkpoint).unwrap();
    let path = net.dir.path().join("state");
    let weights: &'static Weights = Box::leak(Box::new(net.weights));
    resumes(|| Box::new(Float(weights, FloatState::new(&weights.shape))), &identity, &path);
}

#[test]
fn integers_resume_at_any_token() {
    for state_bits in [20, 32] {
        let net = net(1, &QuantOptions { state_bits, ..QuantOptions::default() });
        let weights = Arc::new(from_model(&net.model).unwrap());
        let identity = Identity::of_model(&*weights, weights.emb.stream());
        assert_eq!(identity, Identity::of_model(&net.model, &stream(&net.model)), "golden and the chip share states");
        let path = net.dir.path().join("state");
        let fresh = || {
            let runner = Runner::new(weights.clone(), 1);
            let session = runner.session();
            Box::new(Golden(runner, session)) as Box<dyn Talk>
        };
        resumes(fresh, &identity, &path);
    }
}

fn write(dir: &Path, name: &str, tensors: &[(String, Vec<usize>, Vec<f32>)]) -> PathBuf {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|t| t.2.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), bytes)| (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    let path = dir.join(name);
    safetensors::serialize_to_file(views, None, &path).unwrap();
    path
}

/// An initial state whose every element says where it is.
fn time_state(s: &Shape) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let n = s.head_size;
    let at = |l: usize, i: usize| l as f32 + (i / n % n) as f32 / 64.0 - (i % n) as f32 / 512.0;
    (0..s.n_layer)
        .map(|l| {
            let values = (0..s.n_head * n * n).map(|i| at(l, i)).collect();
            (format!("blocks.{l}.att.time_state"), vec![s.n_head, n, n], values)
        })
        .collect()
}

#[test]
fn a_tuned_state_is_taken_with_its_axes_as_they_are_and_quantised() {
    let net = net(1, &QuantOptions::default());
    let tensors = time_state(&net.weights.shape);
    let path = write(net.dir.path(), "tuned.safetensors", &tensors);
    let identity = Identity::of_model(&net.model, &stream(&net.model));
    let Read::Tuned(float) = read(&path, &identity).unwrap() else { panic!("an initial state expected") };
    let (State::Integer(integers), clipped) = tuned::quantise(&float, &net.model) else { panic!("integers expected") };
    for (l, (_, _, values)) in tensors.iter().enumerate() {
        assert_eq!(float.layers[l].s, *values);
        let ulp = 2f64.powi(-net.model.layers[l].f.f_s);
        for (q, v) in integers.layers[l].s.iter().zip(values) {
            assert!((f64::from(*q) * ulp - f64::from(*v)).abs() <= ulp / 2.0, "layer {l}: {q} for {v}");
        }
    }
    assert_eq!(clipped, 0);
    let mut huge = tensors.clone();
    huge[0].2[5] = 1e9;
    let Read::Tuned(float) = read(&write(net.dir.path(), "huge", &huge), &identity).unwrap() else { panic!() };
    assert_eq!(tuned::quantise(&float, &net.model).1, 1);
    // one that belongs to another network
    for (change, words) in [
        (huge[..2].to_vec(), "blocks.2.att.time_state is missing"),
        ([&huge[..], &[("blocks.3.att.time_state".into(), vec![1], vec![0.0])]].concat(), "the model has 3 layers"),
        (huge.iter().map(|t| (t.0.clone(), vec![3, 8, 32], t.2.clone())).collect(), "expected (3, 16, 16)"),
    ] {
        let error = read(&write(net.dir.path(), "other", &change), &identity).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_state_of_anything_else_is_refused_by_name() {
    let this = net(1, &QuantOptions::default());
    let of = |net: &Net| Identity::of_model(&net.model, &stream(&net.model));
    let zero = |net: &Net| State::Integer(golden_model::network::integer_step::IntState::new(&net.model));
    let path = this.dir.path().join("state");
    let refused = |identity: &Identity, bytes: &[u8], words: &[&str]| {
        std::fs::write(&path, bytes).unwrap();
        let error = read(&path, identity).unwrap_err().to_string();
        words.iter().for_each(|w| assert!(error.contains(w), "`{w}` expected in: {error}"));
        assert!(error.contains("expected") && !error.contains('\n'), "{error}");
    };
    let saved = |state| Saved { state, logits: vec![], tokens: 0, sampling: Position::default() };
    let bytes = to_bytes(&of(&this), &saved(zero(&this)));
    let float = Identity::of_checkpoint(&this.checkpoint).unwrap();
    refused(&float, &bytes, &["of golden and rtl", "of the float backend"]);
    let narrow = net(1, &QuantOptions { state_bits: 20, ..QuantOptions::default() });
    refused(&of(&narrow), &bytes, &["state_bits", "[24]", "[20]"]);
    let mut other = of(&this);
    other.model = "0".repeat(64);
    refused(&other, &bytes, &["its model", "0000000000000000…"]);
    let mut shape = of(&this);
    shape.shape.n_layer = 2;
    refused(&shape, &bytes, &["shape", "\"n_layer\":3", "\"n_layer\":2"]);
    // values that its formats cannot hold would not be what the chip computes with
    let State::Integer(mut wide) = zero(&this) else { panic!() };
    wide.layers[1].s[3] = 1 << 23;
    refused(&of(&this), &to_bytes(&of(&this), &saved(State::Integer(wide))), &["blocks.1.att.s", "8388608", "24 bits"]);
    // a checkpoint, something else, a file cut short
    refused(&of(&this), &std::fs::read(this.checkpoint.path()).unwrap(), &["weights of a network", "state"]);
    refused(&of(&this), b"no state at all", &["first bytes"]);
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(read(&path, &of(&this)).unwrap_err().to_string().contains("blocks.2"));
}

/// Whatever is done to a file, it is read or refused in one sentence.
#[test]
fn a_damaged_file_is_refused_or_read_but_never_ends_the_program() {
    let this = net(1, &QuantOptions::default());
    let identity = Identity::of_model(&this.model, &stream(&this.model));
    let state = State::Integer(golden_model::network::integer_step::IntState::new(&this.model));
    let bytes = to_bytes(&identity, &Saved { state, logits: vec![0.0; 50], tokens: 3, sampling: Position::default() });
    let path = this.dir.path().join("damaged");
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        for _ in 0..rng.gen_range(1..4) {
            // the header is what matters
            let at = rng.gen_range(0..damaged.len().min(2000));
            damaged[at] = rng.gen();
        }
        damaged.truncate(rng.gen_range(damaged.len() / 2..=damaged.len()));
        std::fs::write(&path, &damaged).unwrap();
        if let Err(e) = read(&path, &identity) {
            assert!(!e.to_string().contains('\n'), "{e}");
        }
    }
}
