//! A difference between the chip and the golden model: where it is, what was expected, what came.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// Position of the token in the run, from 0.
    pub token: u64,
    /// The slot whose token it is, on a chip with several sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<usize>,
    pub place: Place,
    pub fault: Fault,
    pub expected: Option<i64>,
    pub got: Option<i64>,
    /// Clock cycle of the session.
    pub cycle: u64,
}

/// Where a difference is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Op {
        /// Trace group, such as `vec`.
        group: String,
        /// Index of the instruction in its unit's program.
        op: usize,
        layer: usize,
        name: String,
        kind: String,
        /// Element of the operation's result.
        element: usize,
    },
    /// A value that a token has once.
    Token { what: String, element: usize },
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Another value came.
    Value,
    /// The event belongs to instruction `got`; the place names the one that was due.
    Op { got: u32 },
    /// The instruction is right, but the row, word, address or segment is another one.
    Index { got: u32, expected: u32 },
    /// The token ended before this event.
    Missing,
    /// An event came after the last expected one.
    Extra,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "token {}, ", self.token)?;
        if let Some(slot) = self.slot {
            write!(f, "slot {slot}, ")?;
        }
        match &self.place {
            Place::Op { group, op, layer, name, element, .. } => {
                write!(f, "layer {layer}, {name} ({group} op {op}), element {element}: ")?;
            }
            Place::Token { what, element: 0 } => write!(f, "{what}: ")?,
            Place::Token { what, element } => write!(f, "{what} {element}: ")?,
        }
        let show = |v: Option<i64>| v.map_or_else(|| "nothing".into(), |v| v.to_string());
        match self.fault {
            Fault::Value => write!(f, "expected {}, got {}", show(self.expected), show(self.got))?,
            Fault::Op { got } => write!(f, "expected an event of this op, got one of op {got}")?,
            Fault::Index { got, expected } => write!(f, "expected the event at index {expected}, got {got}")?,
            Fault::Missing => write!(f, "expected {}, but the token ended", show(self.expected))?,
            Fault::Extra => write!(f, "expected no further event, got {}", show(self.got))?,
        }
        write!(f, " (cycle {})", self.cycle)
    }
}
