//! Text in and out: tokenizers, sampling, and how well a network predicts a text.
pub mod eval;
pub mod generate;
pub(crate) mod python_literal;
pub mod tokenizer;
