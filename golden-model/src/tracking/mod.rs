//! State tracking: does a network know the product of all group elements it has read so far?
//!
//! `docs/state-tracking.md` explains the task. A sequence is the start tokens, then words: an element, then `ticks − 1` clock
//! tokens. After each word the largest of the first `order` logits is the network's answer.
//!
//! * [`group`]: small groups of permutations.
//! * [`task`]: a group as tokens; random sequences from a seed.
//! * [`accuracy`]: how often a network is right, by length.
//! * [`record`]: floats and integers side by side, as a record.
//!
//! A checkpoint says which task it was trained for in its `.safetensors` metadata: `group`, `ticks` and `length`, the elements of its
//! training sequences.

pub mod accuracy;
pub mod group;
pub mod record;
pub mod task;

pub use accuracy::{measure, Point};
pub use group::Group;
pub use task::{Task, TaskError};
