//! The `.anser` file and the weight stream it holds, to the byte.
mod container;
pub mod layout;
pub mod nibble_columns;
pub mod nibble_tiles;

pub use container::{write, Image, ImageError, ImageErrorKind, MAGIC, OLDEST, VERSION};

/// Bytes of a unit.
pub const UNIT: usize = 64;
