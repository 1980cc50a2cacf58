//! What can be wrong with a checkpoint: one sentence that names the file, the tensor and what was expected.

use std::path::{Path, PathBuf};

/// A checkpoint could not be used. Its text is one line, fit to be printed as it is.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", path.display())]
pub struct CheckpointError {
    pub path: PathBuf,
    pub kind: Box<ErrorKind>,
}

impl CheckpointError {
    pub(crate) fn new(path: &Path, kind: ErrorKind) -> Self {
        Self { path: path.to_owned(), kind: Box::new(kind) }
    }
}

/// The reasons of a [`CheckpointError`].
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("is no regular file; expected an RWKV-7 checkpoint (.pth, .safetensors, .gguf, rwkv.cpp .bin or a Hugging Face folder)")]
    NotAFile,
    #[error("is empty; expected an RWKV-7 checkpoint (.pth, .safetensors, .gguf or rwkv.cpp .bin)")]
    Empty,
    #[error("is a folder without model.safetensors or pytorch_model.bin (or their index.json); name the file of the checkpoint")]
    NoWeights,
    #[error("is missing; the tensors have Hugging Face's names, and the epsilon of such a network stands in config.json beside them")]
    NoConfig,
    #[error("has another format than the first part of the checkpoint")]
    OtherFormat,
    #[error("says {key} {found}, expected {expected}")]
    Setting { key: String, found: String, expected: String },
    #[error("is {what}; {remedy}")]
    Recognised { what: String, remedy: String },
    #[error("is {what}; expected a torch zip (.pth), .safetensors, .gguf or an rwkv.cpp .bin")]
    UnknownFormat { what: String },
    #[error("damaged or unsupported {format} file: {what}")]
    Container { format: &'static str, what: String },
    #[error("data.pkl, byte {offset}: {what}")]
    Pickle { offset: usize, what: String },
    #[error("tensor {name}: {what}")]
    Tensor { name: String, what: String },
    #[error("tensor {name} {what}; no formula of RWKV-7 uses it, and without it the logits would be wrong")]
    Foreign { name: String, what: &'static str },
    #[error("tensor {name} is missing; {hint}")]
    Missing { name: String, hint: String },
    #[error("tensor {name} has shape {found}, expected {expected}")]
    Misshapen { name: String, found: String, expected: String },
    #[error("tensor {name} holds {found} numbers, expected F32, F16, BF16 or ggml's Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K")]
    Dtype { name: String, found: String },
    #[error("tensor {name} holds {value} at index {index}, expected finite numbers only")]
    NotFinite { name: String, index: String, value: f32 },
    #[error("is an RWKV-{generation} checkpoint (it holds {sign}), expected RWKV-7, which has blocks.0.att.r_k")]
    OtherGeneration { generation: &'static str, sign: &'static str },
}

/// `(3, 64)`, `(64)`.
pub(super) fn tuple(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({})", sizes.join(", "))
}

/// A name from a file, fit for one line of text: control characters escaped, not too long.
pub(super) fn printable(name: &str) -> String {
    const MAX: usize = 80;
    let mut text: String = name.escape_debug().take(MAX).collect();
    if name.len() > MAX {
        text.push('…');
    }
    text
}
