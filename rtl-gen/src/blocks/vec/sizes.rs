//! Widths that several modules of the vector unit share, and the bundles of named wires that travel through it.

use crate::blocks::prelude::*;
use golden_model::arithmetic::tables;

/// Bits of a factor: an element, or the difference of two.
pub const FACTOR_BITS: usize = VEC_BITS + 1;
/// Bits of a product of two factors.
pub const PRODUCT_BITS: usize = 2 * FACTOR_BITS;
/// Bits of a segment's sum: up to 2^17 elements (8191 words of 16) of products below 2^54, signed.
pub const ACC_BITS: usize = 72;
/// The bits of `amax` that S(amax) depends on: those that a mantissa has no room for.
pub const AMAX_BITS: usize = VEC_BITS - OPERAND_BITS;
/// Bits of the number of values that are clipped in one cycle.
pub const SAT_BITS: usize = 6;
/// Bits of a segment's number in the trace.
pub const TRACE_SEG_BITS: usize = 8;
/// Bits of a slice's number.
pub const SLICE_BITS: usize = 3;
/// Bits of a table's input and of its signed output, which reaches from -1 to 1.
pub const TABLE_IN_BITS: usize = tables::INPUT_BITS as usize;
pub const TABLE_OUT_BITS: usize = tables::OUTPUT_FRAC as usize + 2;

/// Bits of a field of the unit's instruction.
pub fn field_bits(field: &str) -> usize {
    isa::VEC.field(field).1
}

/// Bits of a segment's number.
pub fn seg_bits(config: &Config) -> usize {
    index_bits(config.limits.n_head)
}

/// Bits of an element that comes where parameters do: a parameter, or with the state in memory also an element of a session vector.
pub fn param_bits(config: &Config) -> usize {
    match config.streams_state() {
        true => VEC_BITS,
        false => OPERAND_BITS,
    }
}

/// Wires with names, packed from bit 0 upwards in the order listed.
pub struct Bundle {
    prefix: &'static str,
    parts: Vec<(&'static str, usize)>,
}

impl Bundle {
    /// Bits of the whole bundle.
    pub fn bits(&self) -> usize {
        self.parts.iter().map(|p| p.1).sum()
    }

    /// Declares where each part lies: `PREFIX_PART_LSB`, and `PREFIX_PART_BITS` of a part of several bits.
    pub fn declare(&self, m: &mut Module) {
        let mut at = 0;
        for (part, bits) in &self.parts {
            m.sizes(&[(&format!("{}_{part}_LSB", self.prefix), at)]);
            if *bits > 1 {
                m.sizes(&[(&format!("{}_{part}_BITS", self.prefix), *bits)]);
            }
            at += bits;
        }
    }
}

/// What travels with a word through the pipeline.
pub fn tag() -> Bundle {
    let parts = vec![("LIVE", field_bits("tail")), ("LAST", 1), ("SEG_END", 1), ("RED", 1), ("TO_VMEM", 1)];
    Bundle { prefix: "TAG", parts }
}

/// What the write stage needs of an instruction. With several sessions it also says which slices the instruction is for, with the state in
/// memory also whether its words go there instead of to vmem.
pub fn record(config: &Config) -> Bundle {
    let field = |part: &'static str| (part, field_bits(&part.to_lowercase()));
    let mut parts = vec![("OP", COUNT_BITS), field("D_ADDR"), field("DEST"), field("SLOT"), ("EXP", EXP_BITS)];
    parts.extend(["AMAX", "AMAX_KEEP"].map(field));
    if config.sessions > 1 {
        parts.extend(["ONLY", "ROUTE"].map(field));
    }
    if config.streams_state() {
        parts.push(field("STORE"));
    }
    Bundle { prefix: "REC", parts }
}

/// Declares the position of each value of an operand's field among the bits that stand for them: the first one is bit 0.
pub fn declare_cases(m: &mut Module, operands: &[(&str, &[&str])]) {
    for (operand, values) in operands {
        for (i, value) in values.iter().enumerate() {
            m.sizes(&[(&format!("{operand}_IS_{value}"), i)]);
        }
    }
}
