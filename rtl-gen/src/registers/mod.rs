//! The registers of the host interface, stated once ([`table`], [`counters`]) and rendered for everybody who needs them ([`render`]).

pub mod counters;
pub mod render;
pub mod systemrdl;
pub mod table;

pub use counters::{LOST, STALLS};
pub use table::{all, bit, largest, reg, stall, status_names, ADDR_BITS, ID, VERSION};

/// How software may use a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadOnly,
    ReadWrite,
    /// Reads as 0.
    WriteOnly,
    /// Reads its value; writing 1 sets it to 0.
    WriteOneToClear,
    /// Reads as 0; writing 1 does something once.
    Action,
    /// Reads its value; a write also begins a sequence of [`Access::Push`].
    Select,
    /// Reads as 0; each write goes to the next place.
    Push,
    /// Reads and writes what is at a place; each access goes on to the next one.
    Walk,
}

impl Access {
    /// Whether a write does anything.
    pub fn is_written(self) -> bool {
        self != Access::ReadOnly
    }

    /// Whether a read gives anything.
    pub fn is_read(self) -> bool {
        !matches!(self, Access::WriteOnly | Access::Action | Access::Push)
    }
}

/// A field of a register.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: &'static str,
    pub lsb: usize,
    pub bits: usize,
    pub access: Access,
    /// What the register block's text calls its value; empty for a field that is never read.
    pub signal: String,
    pub reset: u32,
    pub doc: &'static str,
}

/// A register, or several of one kind that follow each other.
#[derive(Clone, Debug)]
pub struct Register {
    pub name: String,
    /// Byte address.
    pub offset: u32,
    /// How many there are, 4 bytes each.
    pub count: usize,
    /// A write, and a read of STATE_DATA, is refused while the chip is busy.
    pub idle_only: bool,
    pub doc: String,
    pub fields: Vec<Field>,
}

impl Register {
    /// Whether a write does anything.
    pub fn is_written(&self) -> bool {
        self.fields.iter().any(|f| f.access.is_written())
    }

    /// Whether a read gives anything.
    pub fn is_read(&self) -> bool {
        self.fields.iter().any(|f| f.access.is_read())
    }
}
