//! How a figure came about. Every figure of a page has at least one of these badges beside it.

/// What a figure rests on, from the weakest ground to the firmest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Assumed,
    Calculated,
    Simulated,
    Mapped,
    Placed,
    OnBoard,
}

use Trust::{Assumed, Calculated, Mapped, OnBoard, Placed, Simulated};

pub const ALL: [Trust; 6] = [Assumed, Calculated, Simulated, Mapped, Placed, OnBoard];
pub const ASSUMED: &[Trust] = &[Assumed];
pub const CALCULATED: &[Trust] = &[Calculated];
pub const SIMULATED: &[Trust] = &[Simulated];
pub const MAPPED: &[Trust] = &[Mapped];
pub const PLACED: &[Trust] = &[Placed];
/// Simulated cycles at a clock that somebody wants.
pub const AT_ASSUMED_CLOCK: &[Trust] = &[Simulated, Assumed];
/// Calculated cycles at a clock that somebody wants.
pub const CALCULATED_AT_ASSUMED_CLOCK: &[Trust] = &[Calculated, Assumed];
/// Mapped logic, and memories or a memory chip by figures that were not mapped.
pub const MAPPED_AND_ASSUMED: &[Trust] = &[Mapped, Assumed];
/// A part without figures.
pub const WORDS: &[Trust] = &[];

impl Trust {
    /// The word on the badge.
    pub fn word(self) -> &'static str {
        match self {
            Assumed => "assumed",
            Calculated => "calculated",
            Simulated => "simulated",
            Mapped => "mapped",
            Placed => "placed",
            OnBoard => "on a board",
        }
    }

    /// Where such a figure comes from.
    pub fn meaning(self) -> &'static str {
        match self {
            Assumed => "from a data sheet, the literature or a configuration file",
            Calculated => "from formulas over the compiled program or the weights, without running the chip",
            Simulated => "the RTL ran, cycle by cycle, or the golden model, whose numbers are the chip's to the bit",
            Mapped => "the RTL as cells of a library or a part, before placement: no wires, no clock tree",
            Placed => "after placement and routing",
            OnBoard => "measured on hardware",
        }
    }

    /// The badge's class in the page's style.
    pub(crate) fn class(self) -> String {
        format!("trust-{}", self.word().replace(' ', "-"))
    }
}
