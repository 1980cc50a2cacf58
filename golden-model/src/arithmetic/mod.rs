//! The integers everything is made of: the only roundings, saturations and tables, and what the chip's units compute with them.
pub mod fixed;
pub mod qtensor;
pub mod recurrence;
mod table_fit;
pub mod tables;
pub mod vector_ops;
