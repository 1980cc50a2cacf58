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
