//! What a state belongs to: a model, the numbers it computes with, and their formats.

use crate::checkpoint::{Checkpoint, CheckpointError, Shape};
use crate::network::formats::NetFormats;
use crate::network::model::QModel;
use crate::network::tensors::Matrix;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The numbers of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// 32-bit floating point: the float backend.
    Float,
    /// The chip's integers: the golden model and the chip, whose states are the same.
    Integer,
}

impl Numbers {
    /// The backends that have such states.
    pub fn backends(self) -> &'static str {
        match self {
            Numbers::Float => "the float backend",
            Numbers::Integer => "golden and rtl",
        }
    }
}

/// Formats of the integers of a state; lists have one entry a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFormats {
    /// Bits of an element of S.
    pub state_bits: u32,
    /// Fraction bits of `att_x_prev`.
    pub f_h1: Vec<i32>,
    /// Fraction bits of `ffn_x_prev`.
    pub f_h2: Vec<i32>,
    /// Fraction bits of S.
    pub f_s: Vec<i32>,
    /// Fraction bits of the logits.
    pub f_logits: i32,
}

/// What a state belongs to. Two states of one identity can stand for each other on every backend with these numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 of everything the model computes with, in hexadecimal digits.
    pub model: String,
    pub shape: Shape,
    /// `None`: floats.
    pub formats: Option<StateFormats>,
}

impl Identity {
    /// The identity of `checkpoint` on the float backend. It depends on names and values alone, not on the form of the file.
    ///
    /// # Errors
    /// If a tensor holds a NaN or an infinity.
    pub fn of_checkpoint(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let mut hash = begin(checkpoint.shape());
        hash.update(format!("{:?}", checkpoint.eps()));
        for name in checkpoint.tensors().map(|t| t.name) {
            hash.update(name.as_bytes());
            for value in checkpoint.read(name)? {
                hash.update(value.to_le_bytes());
            }
        }
        Ok(Self { model: digits(hash), shape: checkpoint.shape().clone(), formats: None })
    }

    /// The identity of a quantised model whose weight stream is `stream`, on golden and on the chip.
    pub fn of_model<M: Matrix>(model: &QModel<M>, stream: &[u8]) -> Self {
        let mut hash = begin(&model.shape);
        // how the weights were rounded does not matter once they are
        let net = NetFormats { recipe: None, ..model.f.clone() };
        let layers: Vec<_> = model.layers.iter().map(|l| &l.f).collect();
        hash.update(serde_json::to_vec(&(net, &layers)).unwrap_or_default());
        hash.update(stream);
        let each = |of: fn(&crate::network::formats::LayerFormats) -> i32| layers.iter().map(|f| of(f)).collect();
        let formats = StateFormats {
            state_bits: model.f.state_bits,
            f_h1: each(|f| f.f_h1),
            f_h2: each(|f| f.f_h2),
            f_s: each(|f| f.f_s),
            f_logits: model.f.f_logits,
        };
        Self { model: digits(hash), shape: model.shape.clone(), formats: Some(formats) }
    }

    /// The numbers of its states.
    pub fn numbers(&self) -> Numbers {
        if self.formats.is_some() {
            Numbers::Integer
        } else {
            Numbers::Float
        }
    }
}

fn begin(shape: &Shape) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(shape).unwrap_or_default());
    hash
}

fn digits(hash: Sha256) -> String {
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}
