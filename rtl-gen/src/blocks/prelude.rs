//! What every generator of a block uses.

pub use crate::config::{Config, EXP_BITS, OPERAND_BITS, VEC_BITS};
pub use crate::hdl::{instance, part, ports, sizes, table, wires, Module};
pub use crate::widths::*;
pub use crate::{isa, rtl};
pub use std::sync::Arc;
