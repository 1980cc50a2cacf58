//! Cells of a Liberty library, as far as power and slews need them, in SI units.
//!
//! Only the cells that a netlist uses are built ([`Library::load`] takes their names): libraries have hundreds.

mod build;
mod context;
pub mod expr;
mod pin;
pub mod syntax;
pub mod table;

pub use expr::Expr;
use records::shared::Corner;
use std::collections::HashMap;
pub use table::Table;

/// What holds for all cells of a library.
#[derive(Clone, Debug)]
pub struct Basics {
    pub corner: Corner,
    pub units: crate::units::Units,
    /// Watts that 1 means as leakage
    pub leakage: f64,
    /// Whether any cell has a table of internal power
    pub has_power: bool,
}

/// One library: its corner and the cells asked for.
#[derive(Debug)]
pub struct Library {
    pub name: String,
    pub corner: Corner,
    /// Its units of time and capacitance, which constraints share
    pub units: crate::units::Units,
    /// Slew thresholds and derating; slews in tables are between these fractions of the supply
    pub slew_low: f64,
    pub slew_high: f64,
    pub slew_derate: f64,
    pub cells: HashMap<String, Cell>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Combinational,
    /// Flip-flops, latches, state tables, clock gates
    Sequential,
    /// Memories and hard blocks
    Macro,
    Pad,
}

#[derive(Debug)]
pub struct Cell {
    pub name: String,
    pub kind: Kind,
    pub pins: Vec<Pin>,
    /// Buses: name, pin indices from the most significant bit down
    pub buses: HashMap<String, Vec<usize>>,
    /// Power and ground pins, which carry no signal
    pub supplies: Vec<String>,
    /// Names of state nodes; variable `pins.len() + i` of an expression is state i
    pub states: Vec<String>,
    pub registers: Vec<Register>,
    /// Watts under a condition
    pub leakage: Vec<Leakage>,
    /// Watts without a condition, of the whole cell
    pub default_leakage: Option<f64>,
}

#[derive(Debug)]
pub struct Leakage {
    pub when: Option<Expr>,
    pub watts: f64,
    /// Supply pin it is drawn from; values of different pins add
    pub supply: Option<String>,
}

/// A flip-flop or latch: which state node takes what.
#[derive(Debug)]
pub struct Register {
    /// State variable and its complement, as expression variables
    pub state: usize,
    pub inverse: usize,
    pub data: Expr,
    /// Clock of a flip-flop, enable of a latch
    pub clock: Expr,
    pub is_latch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Input,
    Output,
    Inout,
    Internal,
}

#[derive(Clone, Debug)]
pub struct Pin {
    pub name: String,
    pub direction: Direction,
    /// Farads when rising, when falling
    pub capacitance: [f64; 2],
    pub is_clock: bool,
    /// Enable of a clock gate
    pub is_enable: bool,
    /// Volts of the supply this pin is driven from
    pub voltage: f64,
    pub function: Option<Expr>,
    /// The condition under which a change of an input changes the output, for each input of `function`
    pub sensitive: Vec<(usize, Expr)>,
    pub internal_power: Vec<InternalPower>,
    /// Arcs that end here
    pub arcs: Vec<Arc>,
}

/// Energy in joules a transition of the pin it belongs to takes inside the cell.
#[derive(Clone, Debug)]
pub struct InternalPower {
    /// Input that causes the transition, for outputs
    pub related: Option<usize>,
    pub when: Option<Expr>,
    pub supply: Option<String>,
    pub rise: Option<Table>,
    pub fall: Option<Table>,
}

/// Says which input edges cause which output edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    Positive,
    Negative,
    Both,
    RisingEdge,
    FallingEdge,
}

/// A delay arc, of which only the output slews matter here.
#[derive(Clone, Debug)]
pub struct Arc {
    pub from: usize,
    pub sense: Sense,
    /// Whether a level passes (a gate), not an edge (a register)
    pub is_combinational: bool,
    pub rise_slew: Option<Table>,
    pub fall_slew: Option<Table>,
}

impl Cell {
    pub fn pin(&self, name: &str) -> Option<usize> {
        self.pins.iter().position(|p| p.name == name)
    }

    /// Indices of the pins that drive nets.
    pub fn outputs(&self) -> impl Iterator<Item = usize> + '_ {
        self.pins.iter().enumerate().filter(|(_, p)| p.drives()).map(|(i, _)| i)
    }
}

impl Pin {
    pub fn drives(&self) -> bool {
        matches!(self.direction, Direction::Output | Direction::Inout)
    }

    pub fn loads(&self) -> bool {
        matches!(self.direction, Direction::Input | Direction::Inout)
    }
}
