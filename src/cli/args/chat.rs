//! `chat`: a conversation that one types.

use super::parse::count;
use super::{Backend, Chip, Numbers, Sampling, StateFiles, MODEL};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What becomes of a line before the model reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A message in the form that World models are trained on: "User: LINE", a blank line, "Assistant:"
    World,
    /// The line as it is, with its end
    Plain,
}

#[derive(Args)]
pub struct Chat {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// What computes the tokens
    #[arg(long, value_enum, default_value = "golden")]
    pub backend: Backend,
    /// Tokens of an answer at most
    #[arg(long, value_name = "N", value_parser = count(), default_value_t = 256)]
    pub tokens: u32,
    /// Text that ends an answer; may be given several times [default: a blank line]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub stop: Vec<String>,
    /// How a line is put to the model [default: world for the World vocabulary, else plain]
    #[arg(long, value_enum)]
    pub form: Option<Form>,
    #[command(flatten)]
    pub sampling: Sampling,
    #[command(flatten)]
    pub state: StateFiles,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}
