//! The integers everything is made of: the only roundings, saturations and tables, and what the chip's units compute with them.
//!
//! [`fixed`] rounds and saturates, [`tables`] holds the nonlinear functions, [`tensor`] what is stored; [`vector_ops`] and [`recurrence`] are what the
//! units compute. Nothing here knows a network.
pub mod fixed;
pub mod norm;
pub mod recurrence;
pub mod tables;
pub mod tensor;
pub mod vector_ops;
