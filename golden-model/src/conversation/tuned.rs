//! Initial states from state tuning: `blocks.N.att.time_state` `(n_head, head_size, head_size)`, one a layer, and nothing else.
//!
//! The axes are head, value, key: those of S in this project, so nothing is transposed. The source is the trainer that writes these files,
//! RWKV-PEFT (github.com/JL-er/RWKV-PEFT, `rwkvt/operator/rwkvop.py`): for RWKV-7 its kernel starts from the parameter as it is and
//! updates it by `state * w + vᵀ k`, rows by v and columns by k; where it calls flash-linear-attention, whose states are key by value, it
//! exchanges the two axes first. States of RWKV-5 and RWKV-6 have key before value; those networks are not read here.

use super::error::StateError;
use super::State;
use crate::arithmetic::fixed::{sat, Saturations};
use crate::checkpoint::tensor_file::TensorFile;
use crate::checkpoint::Shape;
use crate::network::float_step::FloatState;
use crate::network::integer_step::IntState;
use crate::network::model::QModel;
use crate::network::tensors::Matrix;

/// The name of a layer's initial S.
fn name(layer: usize) -> String {
    format!("blocks.{layer}.att.time_state")
}

/// Whether `file` holds an initial state: tensors called `time_state`, and no others.
pub fn is_tuned(file: &TensorFile) -> bool {
    let mut names = file.names().peekable();
    names.peek().is_some() && names.all(|n| n.ends_with(".att.time_state"))
}

/// Reads an initial state for a network of `shape`. The previous tokens' vectors are 0, as before the first token.
///
/// # Errors
/// If the file lacks a layer, has one too many, or a layer has another shape or numbers that are not finite.
pub fn read(file: &TensorFile, shape: &Shape) -> Result<FloatState, StateError> {
    let mut state = FloatState::new(shape);
    let expected: Vec<String> = (0..shape.n_layer).map(name).collect();
    if let Some(other) = file.names().find(|n| !expected.iter().any(|e| e == n)) {
        let expected =
            format!("blocks.0 to blocks.{} only, as the model has {} layers", shape.n_layer - 1, shape.n_layer);
        return Err(StateError::other(file.path(), "tensor", other, expected));
    }
    for (name, layer) in expected.iter().zip(&mut state.layers) {
        layer.s = file.floats(name, &[shape.n_head, shape.head_size, shape.head_size])?;
    }
    Ok(state)
}

/// Rounds `state`, which [`read`] gave, to the formats of `model`. Returns also how many elements were beyond the range and were clipped.
pub fn quantise<M: Matrix>(state: &FloatState, model: &QModel<M>) -> (State, u64) {
    let (mut integers, mut clipped) = (IntState::new(model), Saturations::default());
    for ((to, from), layer) in integers.layers.iter_mut().zip(&state.layers).zip(&model.layers) {
        let one = 2f64.powi(layer.f.f_s);
        let rounded = from.s.iter().map(|v| (f64::from(*v) * one).round_ties_even() as i64);
        to.s = rounded.map(|v| sat(v, model.f.state_bits, &mut clipped)).collect();
    }
    (State::Integer(integers), clipped.0)
}
