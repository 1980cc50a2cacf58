//! Units side by side in one module, and what connects them.
//!
//! Output `PORT_o` of unit `NAME` is the wire `NAME_PORT`; a table says what drives each input. The core, a slice and a board's system are
//! all made this way.

use super::module::{Dir, Module};
use super::wires::{stem, Wires};
use std::sync::Arc;

/// A wiring table: for each unit what drives its inputs.
pub type Table = Vec<(&'static str, Wires)>;

/// Units by the name that their wires begin with; the instance is `u_NAME`.
pub type Units = Vec<(&'static str, Arc<Module>)>;

/// Returns the name of the wire that output `port` of unit `name` drives.
pub fn wire_name(name: &str, port: &str) -> String {
    format!("{name}_{}", stem(port))
}

/// What a unit's port is connected to.
pub enum Connection {
    /// A port of the parent, or another signal of it, whatever the direction.
    Parent(String),
    /// Nothing special: outputs have a wire of their own, inputs are in the table.
    Usual,
}

/// Declares the wires of the units' outputs in `m`, but not of those that `place` connects to the parent.
pub fn declare_outputs(m: &mut Module, units: &Units, parent: impl Fn(&str, &str) -> Connection) {
    for (name, unit) in units {
        for p in unit.ports.iter().filter(|p| p.dir == Dir::Out) {
            if let Connection::Usual = parent(name, &p.name) {
                m.wire(&wire_name(name, &p.name), p.bits);
            }
        }
    }
}

/// Instantiates the units in `m`: outputs to their wires, inputs as `input` says for unit and port, and whatever `parent` knows to the
/// parent. Clock and reset go by name.
pub fn place(
    m: &mut Module,
    units: &Units,
    parent: impl Fn(&str, &str) -> Connection,
    input: impl Fn(&str, &str) -> Option<String>,
) {
    for (name, unit) in units {
        let mut wires = Wires::default();
        for p in &unit.ports {
            let expression = match (parent(name, &p.name), p.dir) {
                (Connection::Parent(signal), _) => Some(signal),
                (Connection::Usual, Dir::Out) => Some(wire_name(name, &p.name)),
                (Connection::Usual, Dir::In) => input(name, &p.name),
            };
            // an input without a row is a fault that the instance reports, except clock and reset
            if let Some(e) = expression {
                wires.add(&p.name, e);
            }
        }
        m.instance(format!("u_{name}"), unit, wires);
    }
}

/// Returns what drives input `port` of `unit`: what the first of `tables` says that has the port.
pub fn driver(tables: &[Table], unit: &str, port: &str) -> Option<String> {
    let mut rows = tables.iter().flatten().filter(|(u, _)| *u == unit);
    rows.find_map(|(_, wires)| wires.get(port)).map(String::from)
}
