//! Families: the kinds of work a reader can tell apart in a picture. One place maps op names to them.

use crate::palette::{self, Colour};
use records::latency::{OpSpan, Unit};

/// A kind of work. The order is the order of legends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    TimeMix,
    LowRank,
    ChannelMix,
    Head,
    Norm,
    TokenShift,
    Operand,
    Elementwise,
    Recurrence,
    Weights,
    Params,
}

impl Family {
    pub const ALL: [Family; 11] = [
        Family::TimeMix,
        Family::LowRank,
        Family::ChannelMix,
        Family::Head,
        Family::Norm,
        Family::TokenShift,
        Family::Operand,
        Family::Elementwise,
        Family::Recurrence,
        Family::Weights,
        Family::Params,
    ];

    /// The family with this [`Family::label`].
    pub fn labelled(label: &str) -> Option<Family> {
        Family::ALL.into_iter().find(|f| f.label() == label)
    }

    /// The family of an op, from its unit and name (tap names of `docs/integer-step.md`). An unknown name of the vector unit
    /// is element-wise work, of the matrix unit the head: never an error, a picture must not fail for a new op.
    pub fn of(op: &OpSpan) -> Self {
        let name = op.name.as_str();
        match op.unit {
            Unit::Wkv => Family::Recurrence,
            Unit::Dma if name.starts_with("param") || name.starts_with("emb") => Family::Params,
            Unit::Dma => Family::Weights,
            Unit::Mat => match name {
                "att.r" | "att.k" | "att.v" | "att.v0" | "att.out" => Family::TimeMix,
                "ffn.s1" | "ffn.ss" | "ffn.s2" => Family::LowRank,
                _ if name.starts_with("att.") => Family::LowRank,
                _ if name.starts_with("ffn.") => Family::ChannelMix,
                _ => Family::Head,
            },
            Unit::Vec if ["max ", "q.", "e."].iter().any(|p| name.starts_with(p)) => Family::Operand,
            Unit::Vec => match name {
                "att.xr" | "att.xw" | "att.xk" | "att.xv" | "att.xa" | "att.xg" | "att.prev" => Family::TokenShift,
                "ffn.xk" | "ffn.prev" => Family::TokenShift,
                "att.l2" | "att.kk" => Family::Norm,
                _ if name.starts_with("ln") || name.starts_with("att.yn") => Family::Norm,
                _ => Family::Elementwise,
            },
        }
    }

    pub fn unit(self) -> Unit {
        match self {
            Family::TimeMix | Family::LowRank | Family::ChannelMix | Family::Head => Unit::Mat,
            Family::Norm | Family::TokenShift | Family::Operand | Family::Elementwise => Unit::Vec,
            Family::Recurrence => Unit::Wkv,
            Family::Weights | Family::Params => Unit::Dma,
        }
    }

    /// Short name for people.
    pub fn label(self) -> &'static str {
        match self {
            Family::TimeMix => "time-mix matrices",
            Family::LowRank => "low-rank adapters",
            Family::ChannelMix => "channel-mix matrices",
            Family::Head => "head",
            Family::Norm => "norms",
            Family::TokenShift => "token shift",
            Family::Operand => "operand scaling",
            Family::Elementwise => "element-wise, tables",
            Family::Recurrence => "WKV recurrence",
            Family::Weights => "weight reads",
            Family::Params => "parameter reads",
        }
    }

    /// A shade of the unit's colour, which is that of the family with most of its work.
    pub fn colour(self) -> &'static Colour {
        match self {
            Family::TimeMix => &palette::BLUE,
            Family::LowRank => &palette::STEEL,
            Family::ChannelMix => &palette::NAVY,
            Family::Head => &palette::SKY,
            Family::Norm => &palette::YELLOW,
            Family::TokenShift => &palette::AMBER,
            Family::Operand => &palette::SAND,
            Family::Elementwise => &palette::MUSTARD,
            Family::Recurrence => &palette::VIOLET,
            Family::Weights => &palette::GREY,
            Family::Params => &palette::SLATE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_family() {
        let of = |unit, name: &str| {
            Family::of(&OpSpan {
                unit,
                index: 0,
                layer: None,
                name: name.into(),
                start_cycle: 0,
                end_cycle: 1,
                weight_bytes: 0,
            })
        };
        for (unit, name, family) in [
            (Unit::Mat, "att.k", Family::TimeMix),
            (Unit::Mat, "att.g", Family::LowRank),
            (Unit::Mat, "ffn.out", Family::ChannelMix),
            (Unit::Mat, "ffn.ss", Family::LowRank),
            (Unit::Mat, "logits", Family::Head),
            (Unit::Vec, "max att.r", Family::Operand),
            (Unit::Vec, "q.att.xk", Family::Operand),
            (Unit::Vec, "att.xk", Family::TokenShift),
            (Unit::Vec, "att.x", Family::Elementwise),
            (Unit::Vec, "att.yn.rstd", Family::Norm),
            (Unit::Vec, "ln_out.h", Family::Norm),
            (Unit::Vec, "ffn.r2", Family::Elementwise),
            (Unit::Wkv, "att.y", Family::Recurrence),
            (Unit::Dma, "params", Family::Params),
            (Unit::Dma, "weights", Family::Weights),
        ] {
            assert_eq!(of(unit, name), family, "{name}");
            assert_eq!(of(unit, name).unit(), unit, "{name}");
        }
    }
}
