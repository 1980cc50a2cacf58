//! Structural Verilog as synthesis and place-and-route tools write it: modules, wires, assigns and instances.
//!
//! A name that only an escape can spell keeps its backslash and its blank, `\a.b `: it is another name than bit or level `a.b`.

use std::collections::HashMap;

/// The modules of one file.
#[derive(Debug)]
pub struct Source {
    pub modules: HashMap<String, Module>,
    /// Module names in the order of the file
    pub order: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Module {
    pub name: String,
    /// Line of its name
    pub line: usize,
    /// Ports in order; their directions are those of the nets in `value`
    pub ports: Vec<ModulePort>,
    pub nets: HashMap<String, Declared>,
    pub assigns: Vec<(Expr, Expr, usize)>,
    pub instances: Vec<Instance>,
}

/// A port: the name that instances connect by, if it has one, and what it is inside.
#[derive(Debug)]
pub struct ModulePort {
    pub name: Option<String>,
    pub value: Option<Expr>,
}

impl Module {
    /// Whether nothing stands in the module, as in the declaration of a black box.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.assigns.is_empty()
    }
}

/// A net or port: its range, none for one bit, and its direction if it is a port.
#[derive(Clone, Copy, Debug, Default)]
pub struct Declared {
    pub range: Option<(i64, i64)>,
    pub direction: Option<PortDirection>,
    /// `supply0` and `supply1`
    pub constant: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortDirection {
    Input,
    Output,
    Inout,
}

#[derive(Debug)]
pub struct Instance {
    pub cell: String,
    pub name: String,
    pub line: usize,
    /// Pins and what they are connected to
    pub pins: Vec<(Pin, Option<Expr>)>,
}

/// A pin of an instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Pin {
    Name(String),
    /// The port in this place of the list, from 0
    Place(usize),
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Pin::Name(name) => f.write_str(name),
            Pin::Place(place) => write!(f, "number {}", place + 1),
        }
    }
}

/// A connection of a pin or a port, or a side of an assignment.
#[derive(Clone, Debug)]
pub enum Expr {
    Name(String),
    /// `name[from:to]`, both inclusive
    Select(String, i64, i64),
    /// Most significant first
    Concat(Vec<Expr>),
    /// Most significant bit first
    Constant(Vec<bool>),
    /// A constant as wide as what it is connected to: the bits given, and the one above them
    Unsized(Vec<bool>, bool),
    /// So many times the same
    Repeat(usize, Box<Expr>),
}
