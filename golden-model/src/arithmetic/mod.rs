//! The integers everything is made of: the only roundings, saturations and tables, and what the chip's units compute with them.
pub mod fixed;
pub mod norm;
pub mod recurrence;
pub mod tables;
pub mod tensor;
pub mod vector_ops;
