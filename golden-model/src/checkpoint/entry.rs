//! A tensor as a format module found it, before anybody knows whether it fits.

use super::error::{printable, tuple};
use super::{Dtype, ErrorKind};

/// A tensor as a format module found it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The official name, once the names are translated.
    pub name: String,
    /// The name in the file.
    pub source: String,
    /// The number format, or the name of one that no weight may have.
    pub dtype: Result<Dtype, String>,
    /// Which of the checkpoint's files it is in.
    pub file: usize,
    /// File position of the first number.
    pub start: usize,
    /// Bytes from the first number to the last.
    pub span: usize,
    pub shape: Vec<usize>,
    /// Distance of neighbours along each axis, in numbers.
    pub strides: Vec<usize>,
}

/// Reason why a tensor cannot be where the file says; the caller adds the name.
type Reason = String;

impl Entry {
    /// `start` and `end` bound the bytes the tensor may lie in and must lie in the file; `strides` in numbers.
    pub fn new(
        name: String,
        dtype: Result<Dtype, String>,
        start: usize,
        end: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, Reason> {
        let entry = |dtype, span, shape, strides| Self {
            source: name.clone(),
            name,
            dtype,
            file: 0,
            start,
            span,
            shape,
            strides,
        };
        let Ok(known) = dtype else {
            return Ok(entry(dtype, 0, shape, strides));
        };
        let too_big = || format!("shape {} with strides {} is absurd", tuple(&shape), tuple(&strides));
        let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).ok_or_else(too_big)?;
        let numbers = shape
            .iter()
            .zip(&strides)
            .try_fold(1usize, |n, (&d, &s)| d.saturating_sub(1).checked_mul(s)?.checked_add(n))
            .ok_or_else(too_big)?;
        if count > numbers {
            return Err(format!("shape {} with strides {} uses numbers twice", tuple(&shape), tuple(&strides)));
        }
        let numbers = if count == 0 { 0 } else { numbers };
        let span = known.bytes(numbers).ok_or_else(too_big)?;
        if start > end || span > end - start {
            return Err(format!(
                "shape {} needs {span} bytes at {start}, expected them to end at or before byte {end}",
                tuple(&shape)
            ));
        }
        Ok(entry(dtype, span, shape, strides))
    }

    /// A tensor of a ggml file: `shape` has the fastest axis first; rows are whole blocks; it may end at `end` at the latest.
    pub fn ggml(name: String, dtype: Dtype, start: usize, end: usize, mut shape: Vec<usize>) -> Result<Self, Reason> {
        let block = dtype.block().0;
        if shape.first().is_some_and(|n| !n.is_multiple_of(block)) {
            return Err(format!("has rows of {} numbers, expected whole blocks of {block} of {dtype}", shape[0]));
        }
        shape.reverse();
        let strides = row_major(&shape);
        Self::new(name, Ok(dtype), start, end, shape, strides)
    }

    /// The official form of the small vectors: `(1, 1, n)` becomes `(n)`.
    pub fn drop_unit_axes(&mut self) {
        if self.shape.len() > 2 {
            let keep: Vec<bool> = self.shape.iter().map(|&d| d != 1).collect();
            let filter = |v: &[usize]| v.iter().zip(&keep).filter(|(_, &k)| k).map(|(&x, _)| x).collect();
            (self.shape, self.strides) = (filter(&self.shape), filter(&self.strides));
            if self.shape.is_empty() {
                (self.shape, self.strides) = (vec![1], vec![1]);
            }
        }
    }

    /// Turns a matrix round without moving a number.
    pub fn transpose(&mut self) {
        self.shape.reverse();
        self.strides.reverse();
    }

    /// Cuts six vectors that lie one after the other apart; their names are `prefix` and the letters r w k v a g.
    pub fn six_mixes(&self, prefix: &str) -> Result<Vec<Self>, ErrorKind> {
        let dtype = self.dtype.clone().map_err(|found| ErrorKind::Dtype { name: self.shown(), found })?;
        let count: usize = self.shape.iter().product();
        let n = count / 6;
        if n == 0 || n * 6 != count || dtype.block().0 != 1 || row_major(&self.shape) != self.strides {
            let what = format!("has shape {}, expected six vectors of equal length", tuple(&self.shape));
            return Err(ErrorKind::Tensor { name: self.shown(), what });
        }
        let span = self.span / 6;
        let mix = |(i, letter)| Self {
            name: format!("{prefix}{letter}"),
            start: self.start + i * span,
            span,
            shape: vec![n],
            strides: vec![1],
            ..self.clone()
        };
        Ok("rwkvag".chars().enumerate().map(mix).collect())
    }

    /// The name for an error's text: the official one, and the file's if it differs.
    pub fn shown(&self) -> String {
        match self.name == self.source {
            true => printable(&self.name),
            false => format!("{} ({} in the file)", printable(&self.name), printable(&self.source)),
        }
    }
}

/// Strides of a row-major tensor.
pub(super) fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i]);
    }
    strides
}
