//! The state of a conversation as a `.safetensors` file.
//!
//! Tensors: `blocks.N.att.x_prev` and `blocks.N.ffn.x_prev` `(n_embd)`, `blocks.N.att.s` `(n_head, head_size, head_size)` with the axes head, value,
//! key, and `logits` `(vocab_size)` after the last token; F32 or I32. The metadata say what they belong to: `format`, `version`, `numbers`,
//! `model` (its hash), `shape`, `formats`, and `tokens`, `seed`, `draws`. One state always gives the same bytes.

use super::error::StateError;
use super::identity::{Identity, Numbers, StateFormats};
use super::{tuned, Saved, State};
use crate::arithmetic::fixed::VEC_BITS;
use crate::checkpoint::tensor_file::TensorFile;
use crate::checkpoint::Shape;
use crate::network::{float_step, integer_step};
use crate::text::generate::Position;
use serde_json::{json, Map, Value};
use std::path::Path;

/// What `format` says.
const FORMAT: &str = "anser state";
/// What `version` says.
const VERSION: &str = "1";

/// What a file held.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// A conversation to go on with.
    Saved(Saved),
    /// An initial state of state tuning, in floats.
    Tuned(float_step::FloatState),
}

/// One tensor on its way into a file.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Returns the bytes of the file that keeps `saved`, a conversation with the model `identity` names.
pub fn to_bytes(identity: &Identity, saved: &Saved) -> Vec<u8> {
    let s = &identity.shape;
    let heads = [s.n_head, s.head_size, s.head_size];
    let mut tensors = vec![];
    let mut add = |name: String, shape: &[usize], bytes: Vec<u8>| {
        tensors.push(Tensor { name, shape: shape.to_vec(), bytes });
    };
    let floats = |v: &[f32]| v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    let integers = |v: &[i32]| v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
    match &saved.state {
        State::Float(state) => {
            for (l, layer) in state.layers.iter().enumerate() {
                add(format!("blocks.{l}.att.x_prev"), &[s.n_embd], floats(&layer.att_x_prev));
                add(format!("blocks.{l}.att.s"), &heads, floats(&layer.s));
                add(format!("blocks.{l}.ffn.x_prev"), &[s.n_embd], floats(&layer.ffn_x_prev));
            }
        }
        State::Integer(state) => {
            for (l, layer) in state.layers.iter().enumerate() {
                add(format!("blocks.{l}.att.x_prev"), &[s.n_embd], integers(&layer.att_x_prev));
                add(format!("blocks.{l}.att.s"), &heads, integers(&layer.s));
                add(format!("blocks.{l}.ffn.x_prev"), &[s.n_embd], integers(&layer.ffn_x_prev));
            }
        }
    }
    if !saved.logits.is_empty() {
        let bytes = match &identity.formats {
            // both are exact: logits of the float step are f32, those of the integer step multiples of 2^-f_logits
            None => floats(&saved.logits.iter().map(|v| *v as f32).collect::<Vec<_>>()),
            Some(f) => {
                let one = 2f64.powi(f.f_logits);
                integers(&saved.logits.iter().map(|v| (v * one) as i32).collect::<Vec<_>>())
            }
        };
        add("logits".into(), &[saved.logits.len()], bytes);
    }
    let mut header = Map::new();
    header.insert("__metadata__".into(), metadata(identity, saved));
    let dtype = if identity.formats.is_some() { "I32" } else { "F32" };
    let mut end = 0;
    for t in &tensors {
        let begin = end;
        end += t.bytes.len();
        header.insert(t.name.clone(), json!({"dtype": dtype, "shape": t.shape, "data_offsets": [begin, end]}));
    }
    let mut header = Value::Object(header).to_string();
    // blanks behind the header let the numbers begin at a multiple of 8
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    tensors.iter().for_each(|t| bytes.extend(&t.bytes));
    bytes
}

/// What the file says about itself: texts by name.
fn metadata(identity: &Identity, saved: &Saved) -> Value {
    let numbers = if identity.numbers() == Numbers::Float { "float" } else { "integer" };
    let Position { seed, draws } = saved.sampling;
    let mut about = json!({
        "format": FORMAT, "version": VERSION, "numbers": numbers, "model": identity.model,
        "shape": json!(identity.shape).to_string(),
        "tokens": saved.tokens.to_string(), "seed": seed.to_string(), "draws": draws.to_string(),
    });
    if let Some(formats) = &identity.formats {
        about["formats"] = json!(formats).to_string().into();
    }
    about
}

/// Reads the file at `path` as a state of the model `identity` names, or as an initial state for a network of its shape.
///
/// # Errors
/// If the file cannot be read, holds no state, or a state of another model, other numbers or other formats: the message says which.
pub fn read(path: &Path, identity: &Identity) -> Result<Read, StateError> {
    let file = TensorFile::open(path)?;
    if tuned::is_tuned(&file) {
        return Ok(Read::Tuned(tuned::read(&file, &identity.shape)?));
    }
    if file.metadata().get("format").map(String::as_str) != Some(FORMAT) {
        let what = match file.names().find(|n| ["emb.weight", "head.weight"].contains(n)) {
            Some(_) => "holds the weights of a network".to_owned(),
            None => format!("holds {} tensors and does not say that it is a state", file.names().count()),
        };
        return Err(StateError::NoState { path: path.to_owned(), what });
    }
    check(&file, identity)?;
    Ok(Read::Saved(saved(&file, identity)?))
}

/// Checks that the state in `file` belongs to what `identity` names.
fn check(file: &TensorFile, identity: &Identity) -> Result<(), StateError> {
    let says = |name: &str| file.metadata().get(name).map_or("", String::as_str);
    let other =
        |what: &str, found: String, expected: String| Err(StateError::other(file.path(), what, found, expected));
    if says("version") != VERSION {
        return other("the version of its format", says("version").into(), VERSION.into());
    }
    let numbers = if says("numbers") == "float" { Numbers::Float } else { Numbers::Integer };
    if numbers != identity.numbers() {
        let of = |n: Numbers| format!("of {}", n.backends());
        return other("the state", of(numbers), of(identity.numbers()));
    }
    let shape: Option<Shape> = serde_json::from_str(says("shape")).ok();
    if shape.as_ref() != Some(&identity.shape) {
        let expected = format!("{}, the model's", json!(identity.shape));
        return other("the shape of its model", says("shape").into(), expected);
    }
    if let Some(expected) = &identity.formats {
        let Ok(found) = serde_json::from_str::<StateFormats>(says("formats")) else {
            return other(
                "the entry `formats`",
                format!("`{}`", says("formats")),
                "the formats of its integers".into(),
            );
        };
        // the first that differs, by its name
        for (name, found, expected) in [
            ("state_bits", vec![found.state_bits as i32], vec![expected.state_bits as i32]),
            ("f_h1", found.f_h1, expected.f_h1.clone()),
            ("f_h2", found.f_h2, expected.f_h2.clone()),
            ("f_s", found.f_s, expected.f_s.clone()),
            ("f_logits", vec![found.f_logits], vec![expected.f_logits]),
        ] {
            if found != expected {
                return other(
                    &format!("the format {name} of its integers"),
                    format!("{found:?}"),
                    format!("{expected:?}: the same model, quantised in the same way for the same width of the state"),
                );
            }
        }
    }
    if says("model") != identity.model {
        return other("its model", format!("{:.16}…", says("model")), format!("{:.16}… (SHA-256)", identity.model));
    }
    Ok(())
}

/// The state in `file`, which belongs to what `identity` names.
fn saved(file: &TensorFile, identity: &Identity) -> Result<Saved, StateError> {
    let s = &identity.shape;
    let heads = [s.n_head, s.head_size, s.head_size];
    let number = |name: &str| {
        let text = file.metadata().get(name).map_or("", String::as_str);
        text.parse::<u64>()
            .map_err(|_| StateError::other(file.path(), &format!("the entry `{name}`"), text, "a number"))
    };
    let state = match &identity.formats {
        None => State::Float(float_step::FloatState {
            layers: (0..s.n_layer)
                .map(|l| {
                    Ok(float_step::LayerState {
                        att_x_prev: file.floats(&format!("blocks.{l}.att.x_prev"), &[s.n_embd])?,
                        s: file.floats(&format!("blocks.{l}.att.s"), &heads)?,
                        ffn_x_prev: file.floats(&format!("blocks.{l}.ffn.x_prev"), &[s.n_embd])?,
                    })
                })
                .collect::<Result<_, StateError>>()?,
        }),
        Some(f) => State::Integer(integer_step::IntState {
            layers: (0..s.n_layer)
                .map(|l| {
                    Ok(integer_step::LayerState {
                        att_x_prev: integers(file, &format!("blocks.{l}.att.x_prev"), &[s.n_embd], VEC_BITS)?,
                        s: integers(file, &format!("blocks.{l}.att.s"), &heads, f.state_bits)?,
                        ffn_x_prev: integers(file, &format!("blocks.{l}.ffn.x_prev"), &[s.n_embd], VEC_BITS)?,
                    })
                })
                .collect::<Result<_, StateError>>()?,
        }),
    };
    let shape = [s.vocab_size];
    let logits = match &identity.formats {
        _ if !file.names().any(|n| n == "logits") => vec![],
        None => file.floats("logits", &shape)?.into_iter().map(f64::from).collect(),
        Some(f) => {
            let one = 2f64.powi(-f.f_logits);
            integers(file, "logits", &shape, VEC_BITS)?.into_iter().map(|v| f64::from(v) * one).collect()
        }
    };
    let sampling = Position { seed: number("seed")?, draws: number("draws")? };
    Ok(Saved { state, logits, tokens: number("tokens")?, sampling })
}

/// The integers of a tensor, which must fit `bits` bits.
fn integers(file: &TensorFile, name: &str, shape: &[usize], bits: u32) -> Result<Vec<i32>, StateError> {
    let values = file.integers(name, shape)?;
    let range = -(1i64 << (bits - 1))..1 << (bits - 1);
    match values.iter().find(|v| !range.contains(&i64::from(**v))) {
        Some(v) => Err(StateError::other(file.path(), &format!("a value of {name}"), v, format!("one of {bits} bits"))),
        None => Ok(values),
    }
}
