//! The `.anser` file and the weight stream it holds, to the byte.
//!
//! Callers [`write()`] a model, open an [`Image`], and find out where a tensor lies from [`layout`]. [`nibble_tiles`] and [`nibble_columns`] arrange
//! the bytes of matrices of 4 bits.
mod container;
pub mod layout;
pub mod nibble_columns;
pub mod nibble_tiles;

pub use container::{write, Image, ImageError, ImageErrorKind, MAGIC, OLDEST, VERSION};

/// Bytes of a unit: offsets and lengths in the stream count units.
pub const UNIT: usize = 64;
