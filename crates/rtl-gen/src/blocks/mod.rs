//! The hardware blocks, one generator a file. `docs/hardware.md` is their contract.
pub mod argmax;
pub mod core;
pub mod core_token;
pub mod dma;
pub mod fetch;
pub mod mat;
mod mat_control;
mod mat_drain;
mod mat_lane;
mod mat_operands;
mod mat_output;
mod mat_scales;
pub mod prim;
pub mod regs;
pub mod vec;
pub mod vmem;
pub mod wkv;
