//! Files of tensors that are no network, such as the state of a conversation: any container a checkpoint may come in.

use super::entry::{row_major, Entry};
use super::error::{printable, tuple};
use super::{map, parse, safetensors, CheckpointError, Dtype, ErrorKind, Format, Parsed, TensorView};
use memmap2::Mmap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The tensors of a file by their names there. Numbers are read when they are asked for.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    map: Mmap,
    entries: BTreeMap<String, Entry>,
    metadata: BTreeMap<String, String>,
}

impl TensorFile {
    /// Maps the file at `path`. The file must not be changed while the result is alive.
    ///
    /// # Errors
    /// If it cannot be read, is damaged or no container that a checkpoint may come in, or has a name twice.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        Self::open_inner(path).map_err(|kind| CheckpointError::new(path, kind))
    }

    fn open_inner(path: &Path) -> Result<Self, ErrorKind> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(ErrorKind::NotAFile);
        }
        let map = map(path)?;
        let Parsed { format, entries: found, .. } = parse(&map)?;
        let mut entries = BTreeMap::new();
        for entry in found {
            if let Some(twin) = entries.insert(entry.name.clone(), entry) {
                return Err(ErrorKind::Tensor { name: printable(&twin.name), what: "is in the file twice".into() });
            }
        }
        let metadata = if format == Format::Safetensors { safetensors::metadata(&map) } else { BTreeMap::new() };
        Ok(Self { path: path.to_owned(), map, entries, metadata })
    }

    /// The path it was opened at.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a `.safetensors` file says about itself; nothing for other containers.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The names of all tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The numbers of tensor `name`, which has `shape`, row-major, all finite.
    ///
    /// # Errors
    /// If there is no such tensor, or it has another shape, another number format than F32, F16 and BF16, or a NaN or infinity.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let entry = self.entry(name, shape)?;
        let dtype = entry.dtype.as_ref().map_err(|found| self.dtype(name, found))?;
        let size = match dtype {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::Bf16 => 2,
            other => return Err(self.dtype(name, &other.to_string())),
        };
        // all numbers from the first to the last, as they lie in the file
        let n = entry.span / size;
        let bytes = &self.map[entry.start..entry.start + entry.span];
        let lying = TensorView { name, dtype: *dtype, shape: &[n], strides: &[1], bytes }.to_f32();
        let values: Vec<f32> = match entry.strides == row_major(shape) {
            true => lying,
            false => (0..shape.iter().product()).map(|i| lying[place(i, shape, &entry.strides)]).collect(),
        };
        match values.iter().position(|v| !v.is_finite()) {
            Some(i) => {
                let (name, index) = (name.to_owned(), format!("[{i}]"));
                Err(CheckpointError::new(&self.path, ErrorKind::NotFinite { name, index, value: values[i] }))
            }
            None => Ok(values),
        }
    }

    /// The numbers of tensor `name` of a `.safetensors` file, which has `shape` and 32-bit signed integers.
    ///
    /// # Errors
    /// If there is no such tensor, or it has another shape or number format.
    pub fn integers(&self, name: &str, shape: &[usize]) -> Result<Vec<i32>, CheckpointError> {
        let entry = self.entry(name, shape)?;
        let n: usize = shape.iter().product();
        match &entry.dtype {
            Err(dtype) if dtype == "I32" => {}
            other => {
                let found = other.as_ref().map_or_else(String::clone, |d| format!("{d:?}"));
                let what = format!("holds {found} numbers, expected I32");
                return Err(CheckpointError::new(&self.path, ErrorKind::Tensor { name: printable(name), what }));
            }
        }
        let Some(bytes) = entry.start.checked_add(4 * n).and_then(|end| self.map.get(entry.start..end)) else {
            let what = format!("has shape {}, more than the file holds", tuple(shape));
            return Err(CheckpointError::new(&self.path, ErrorKind::Tensor { name: printable(name), what }));
        };
        Ok(bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    fn entry(&self, name: &str, shape: &[usize]) -> Result<&Entry, CheckpointError> {
        let fail = |kind| CheckpointError::new(&self.path, kind);
        let missing = || ErrorKind::Missing { name: name.to_owned(), hint: format!("expected shape {}", tuple(shape)) };
        let entry = self.entries.get(name).ok_or_else(|| fail(missing()))?;
        if entry.shape != shape {
            let (found, expected) = (tuple(&entry.shape), tuple(shape));
            return Err(fail(ErrorKind::Misshapen { name: name.to_owned(), found, expected }));
        }
        Ok(entry)
    }

    fn dtype(&self, name: &str, found: &str) -> CheckpointError {
        CheckpointError::new(&self.path, ErrorKind::Dtype { name: name.to_owned(), found: found.to_owned() })
    }
}

/// Where number `i` of a row-major tensor lies whose neighbours along each axis are `strides` numbers apart.
fn place(i: usize, shape: &[usize], strides: &[usize]) -> usize {
    let axes = shape.iter().zip(strides).rev();
    axes.fold((i, 0), |(left, at), (n, stride)| (left / n, at + left % n * stride)).1
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_transposed_tensor_is_read_in_its_own_order() {
        // (2, 3, 4) whose last two axes were exchanged after it was made as (2, 4, 3)
        let (shape, strides) = ([2, 3, 4], [12, 1, 3]);
        let lying: Vec<usize> = (0..24).collect();
        let read = |a: usize, b: usize, c: usize| lying[place((a * 3 + b) * 4 + c, &shape, &strides)];
        for (a, b, c) in [(0, 0, 0), (0, 1, 0), (0, 0, 1), (1, 2, 3), (1, 0, 2)] {
            assert_eq!(read(a, b, c), a * 12 + c * 3 + b);
        }
    }
}
