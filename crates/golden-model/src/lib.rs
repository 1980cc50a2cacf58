//! RWKV-7 three times: as a checkpoint, as a float step, as an integer step that is the chip's specification.
//!
//! Names are the checkpoint's; `w` is the decay and `a` the in-context learning rate. `docs/integer-step.md` is the
//! integer step in words. [`fast`] is the integer step once more, for speed: the same bits, tested against it.
pub mod approximate;
pub mod branch;
pub mod branch_fit;
pub mod calibrate;
pub mod checkpoint;
pub mod cluster_fit;
pub mod clusters;
pub mod column_groups;
pub mod eval;
pub mod fast;
pub mod fixed;
pub mod float_math;
pub mod float_step;
pub mod formats;
pub mod generate;
pub mod gptq;
pub mod groups;
pub mod image;
pub mod integer_step;
pub mod layout;
mod model_check;
pub mod qmodel;
pub mod qtensor;
pub mod quantise;
pub mod random;
pub mod recipe;
pub mod recurrence;
pub mod search;
pub mod session;
pub mod study;
mod table_fit;
pub mod tables;
pub mod tokenizer;
pub mod tracking;
pub mod vector_ops;
pub mod w4_columns;
pub mod w4_stream;
pub mod weights;
