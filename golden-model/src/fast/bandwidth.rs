//! How fast this machine reads memory: the bound of decoding, measured with the same threads on the same bytes.

use super::isa::versions;
use super::kernels::{prefetch, AHEAD};
use super::Runner;
use crate::network::model::is_own;
use crate::network::tensors::QTensor;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of one task: as long a run as the matrices' tasks have.
const TASK_BYTES: usize = 128 << 10;

versions! {
    /// Sum of the 64-bit words of `bytes`: nothing but reading.
    fn sum(bytes: &[u8]) -> u64 {
        let mut lanes = [0u64; 8];
        for line in bytes.chunks_exact(64) {
            prefetch(line.as_ptr().wrapping_add(AHEAD)); // as the kernels do
            for (lane, b) in lanes.iter_mut().zip(line.chunks_exact(8)) {
                *lane = lane.wrapping_add(u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]));
            }
        }
        lanes.iter().fold(0, |sum, lane| sum.wrapping_add(*lane))
    }
}

impl Runner {
    /// Reads all matrices once, in the order of the stream, and does nothing with them; gives the bytes read.
    pub fn read_weights(&mut self) -> u64 {
        let weights = self.weights.clone();
        let matrices: Vec<&[u8]> = weights.tensors().into_iter().filter_map(|(name, t)| bytes(&name, t)).collect();
        let pieces: Vec<&[u8]> = matrices.iter().flat_map(|m| m.chunks(TASK_BYTES)).collect();
        let total = AtomicU64::new(0);
        let isa = self.isa;
        self.pool.run(pieces.len(), &|i| {
            total.fetch_add(sum(isa, pieces[i]), Ordering::Relaxed);
        });
        std::hint::black_box(total.into_inner());
        matrices.iter().map(|m| m.len() as u64).sum()
    }

    /// Bytes of all matrices, each of which a token needs unless its columns are skipped.
    pub fn weight_bytes(&self) -> u64 {
        self.weights.tensors().into_iter().filter_map(|(name, t)| bytes(&name, t)).map(|b| b.len() as u64).sum()
    }

    /// Bytes of columns that single steps did not read since the runner was made, because their operand was 0.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    /// Columns of each layer's `ffn.value` whose operand was 0 in single steps since the runner was made.
    pub fn skipped_columns(&self) -> &[u64] {
        &self.skipped_columns
    }
}

/// The bytes of tensor `name`, if it is a matrix; of the tokens' own matrices those of the first token.
fn bytes<'a>(name: &str, tensor: QTensor<'a, super::weights::StreamMatrix>) -> Option<&'a [u8]> {
    match tensor {
        QTensor::Matrix(m) if is_own(name) => Some(&m.bytes()[..m.panel_bytes()]),
        QTensor::Matrix(m) => Some(m.bytes()),
        _ => None,
    }
}

/// Bytes of a column of `m`, if it is stored by columns.
pub(super) fn column_bytes(m: &super::weights::StreamMatrix) -> u64 {
    if m.by_columns() {
        m.columns().1 as u64
    } else {
        0
    }
}
