//! What a network needs of its tensors, wherever they lie.

use crate::arithmetic::tensor::{QMatrix, QVector, QWeights, RowScale, WeightBits};

/// What a model needs to know of a matrix, wherever its weights lie.
pub trait Matrix {
    /// A table of `(vocab_size, n_embd)` 16-bit numbers that goes with such matrices.
    type Embedding;
    fn rows(&self) -> usize;
    fn cols(&self) -> usize;
    fn bits(&self) -> WeightBits;
    fn frac(&self) -> i32;
    /// The scale of row `r`.
    fn scale(&self, r: usize) -> RowScale;
    /// Weights and scales (of rows and of groups) held; both follow from rows and columns in a matrix that is whole.
    fn held(&self) -> (usize, usize);
    /// Numbers in `embedding`.
    fn embedding_len(embedding: &Self::Embedding) -> usize;
}

impl Matrix for QMatrix {
    type Embedding = Vec<i16>;

    fn rows(&self) -> usize {
        self.rows
    }

    fn cols(&self) -> usize {
        self.cols
    }

    fn bits(&self) -> WeightBits {
        QMatrix::bits(self)
    }

    fn frac(&self) -> i32 {
        self.frac
    }

    fn scale(&self, r: usize) -> RowScale {
        self.scales[r]
    }

    fn held(&self) -> (usize, usize) {
        let (weights, groups) = match &self.q {
            QWeights::W4 { q, gs } | QWeights::W4Columns { q, gs } => (q.len(), gs.len()),
            QWeights::W8(q) => (q.len(), 0),
            QWeights::W16(q) => (q.len(), 0),
        };
        (weights, self.scales.len() + groups)
    }

    fn embedding_len(embedding: &Vec<i16>) -> usize {
        embedding.len()
    }
}

/// A tensor of a model by reference.
#[derive(Debug)]
pub enum QTensor<'a, M: Matrix = QMatrix> {
    /// `(vocab_size, n_embd)` and its frac.
    Embedding(&'a M::Embedding, i32),
    Vector(&'a QVector),
    Matrix(&'a M),
    /// The token that each row of a clustered head belongs to.
    Order(&'a [u32]),
}

impl<M: Matrix> QTensor<'_, M> {
    /// The fraction bits it is stored with; 0 for an order, which has none.
    pub fn frac(&self) -> i32 {
        match self {
            QTensor::Embedding(_, frac) => *frac,
            QTensor::Vector(v) => v.frac,
            QTensor::Matrix(m) => m.frac(),
            QTensor::Order(_) => 0,
        }
    }
}

/// Where a model's tensors come from: the quantiser or an image. Names are official and complete (`blocks.0.att.w1`).
pub trait TensorSource {
    type Error;
    type Matrix: Matrix;
    fn vector(&mut self, name: &str) -> Result<QVector, Self::Error>;
    fn matrix(&mut self, name: &str) -> Result<Self::Matrix, Self::Error>;
    /// [`QTensor::Order`].
    fn order(&mut self, name: &str) -> Result<Vec<u32>, Self::Error>;
}
