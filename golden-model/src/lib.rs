//! RWKV-7 three times: as a checkpoint, as a float step, as an integer step that is the chip's specification.
//!
//! Names are the checkpoint's; `w` is the decay and `a` the in-context learning rate. `docs/integer-step.md` is the
//! integer step in words. [`fast`] is the integer step once more, for speed: the same bits, tested against it.
pub mod arithmetic;
pub mod checkpoint;
pub mod conversation;
pub mod fast;
pub mod image;
pub mod network;
pub mod quantise;
pub mod study;
pub mod text;
pub mod tracking;
