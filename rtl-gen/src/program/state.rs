//! Where a session's state lies in memory (`docs/hardware.md` §7).
//!
//! Every element is 32 bits, sign-extended. Each layer has `att_x_prev`, S by head and row, then `ffn_x_prev`. That is the
//! order in which a token reads and writes them, so both are one walk from the first byte to the last. With several slots each has its own
//! STATE_BASE and its own walk; a session vector is brought and kept for one slot after the other, S by head in turn.

use super::memory::Dims;

/// Bytes of an element.
pub const ELEMENT_BYTES: usize = 4;

/// Elements in a unit of 64 bytes.
const UNIT_ELEMENTS: usize = 64 / ELEMENT_BYTES;

/// Where the state of a session lies, in units of 64 bytes from its STATE_BASE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateLayout {
    pub n_layer: usize,
    /// Units of a session vector and of one layer's S.
    pub vector: usize,
    pub s: usize,
}

impl StateLayout {
    /// Makes the layout for a model whose n_embd is a multiple of 16.
    pub fn of(dims: &Dims) -> Self {
        StateLayout {
            n_layer: dims.n_layer,
            vector: dims.n_embd / UNIT_ELEMENTS,
            s: dims.n_embd * dims.head_size / UNIT_ELEMENTS,
        }
    }

    fn layer(&self) -> usize {
        2 * self.vector + self.s
    }

    /// First unit of a layer's `att_x_prev`.
    pub fn att_x_prev(&self, layer: usize) -> usize {
        layer * self.layer()
    }

    /// First unit of a layer's S.
    pub fn s(&self, layer: usize) -> usize {
        self.att_x_prev(layer) + self.vector
    }

    /// First unit of a layer's `ffn_x_prev`.
    pub fn ffn_x_prev(&self, layer: usize) -> usize {
        self.s(layer) + self.s
    }

    /// Units of the whole state.
    pub fn units(&self) -> usize {
        self.n_layer * self.layer()
    }

    /// Bytes of the whole state; there is no padding.
    pub fn useful_bytes(&self) -> usize {
        self.units() * 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_one_stretch_without_gaps() {
        let dims = Dims {
            n_layer: 3,
            n_embd: 96,
            head_size: 32,
            dim_ffn: 128,
            vocab_size: 10,
            rank_w: 8,
            rank_a: 8,
            rank_v: 8,
            rank_g: 8,
            deep_embed: false,
        };
        let l = StateLayout::of(&dims);
        let mut at = 0;
        for layer in 0..3 {
            for (unit, elements) in [(l.att_x_prev(layer), 96), (l.s(layer), 96 * 32), (l.ffn_x_prev(layer), 96)] {
                assert_eq!(unit, at);
                at += elements / UNIT_ELEMENTS;
            }
        }
        assert_eq!((l.units(), l.useful_bytes()), (at, 3 * 96 * 34 * ELEMENT_BYTES));
    }
}
