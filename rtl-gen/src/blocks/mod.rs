//! The hardware blocks, one generator a file, one folder a unit. `docs/hardware.md` is their contract.
pub mod core;
pub mod dma;
pub mod mat;
pub mod prelude;
pub mod prim;
pub mod regs;
pub mod vec;
pub mod wkv;
