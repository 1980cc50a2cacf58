//! What a configuration does with a model, without simulating it: cycles a token, bandwidth, memory on the chip, multipliers.
//!
//! [`shape`] makes a model of dimensions only, the compiler makes the chip's own program from it, [`cycles`] walks that program with the
//! units' documented lengths and latencies, [`resources`] counts memories and multipliers of the elaborated design. [`sweep`] does it for
//! many configurations on all cores and finds those that nothing beats. How far this is from the RTL is measured: `docs/explore.md`.

pub mod cycles;
pub mod fit;
pub mod resources;
pub mod shape;
pub mod sweep;
