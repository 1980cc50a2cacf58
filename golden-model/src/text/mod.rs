//! Text in and out: tokenizers, sampling, where a text ends, and how well a network predicts one.
pub mod eval;
pub mod generate;
pub(crate) mod python_literal;
pub mod stop;
pub mod tokenizer;
