//! The `.anser` file and the weight stream it holds, to the byte.
pub mod file;
pub mod layout;
pub mod w4_columns;
pub mod w4_stream;
