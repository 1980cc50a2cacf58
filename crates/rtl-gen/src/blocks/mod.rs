//! The hardware blocks, one generator a file. `docs/hardware.md` is their contract.
pub mod core;
pub mod core_token;
pub mod dma;
pub mod fetch;
pub mod mat;
pub mod prim;
pub mod regs;
pub mod vec;
pub mod vmem;
pub mod wkv;
pub mod wkv_dot;
pub mod wkv_lane;
pub mod wkv_mul;
pub mod wkv_setup;
pub mod wkv_state;
pub mod wkv_walk;
