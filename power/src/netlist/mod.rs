//! From Verilog modules to a flat design: instances of library cells and the nets between them.

mod flatten;
mod hierarchy;
mod lexer;
pub mod names;
mod parser;
pub mod verilog;

pub use flatten::flatten;
pub use verilog::{PortDirection, Source};

use crate::liberty::{Cell, Library};
use std::collections::HashMap;

/// A flat netlist linked to its libraries.
#[derive(Debug)]
pub struct Design {
    pub top: String,
    pub libraries: Vec<Library>,
    pub instances: Vec<Instance>,
    pub nets: Vec<Net>,
    pub ports: Vec<Port>,
    /// Every name of every net, in the spelling of [`names::normal`], but for those that two nets share in it
    pub net_of: HashMap<String, usize>,
    /// Sentences about the netlist that a reader of the watts should know
    pub notes: Vec<String>,
}

#[derive(Debug)]
pub struct Instance {
    /// Path in the spelling of [`names::normal`]
    pub name: String,
    pub library: usize,
    pub cell: String,
    /// Net of each pin of the cell
    pub pins: Vec<Option<usize>>,
}

#[derive(Debug)]
pub struct Port {
    pub name: String,
    pub direction: PortDirection,
    pub net: usize,
}

/// A pin of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PinRef {
    pub instance: usize,
    pub pin: usize,
}

#[derive(Debug, Default)]
pub struct Net {
    pub name: String,
    pub drivers: Vec<PinRef>,
    pub loads: Vec<PinRef>,
    pub ports: Vec<usize>,
    /// Tied to 0 or 1
    pub constant: Option<bool>,
}

impl Net {
    /// Whether anything is connected: what is not is no net of the circuit.
    pub fn is_used(&self) -> bool {
        !self.drivers.is_empty() || !self.loads.is_empty() || !self.ports.is_empty()
    }
}

impl Design {
    /// The cell of an instance.
    pub fn cell(&self, instance: usize) -> &Cell {
        let i = &self.instances[instance];
        // instances are only made from cells that were found
        &self.libraries[i.library].cells[&i.cell]
    }

    pub fn net(&self, pin: PinRef) -> Option<usize> {
        self.instances[pin.instance].pins[pin.pin]
    }
}
