//! Reading RWKV-7 checkpoints where they lie.
//!
//! The file is memory-mapped and recognised by its first bytes, never by its name. Each format module only finds the
//! tensors: names, number format, position, strides. Everything they have in common is here and in [`names`]: the
//! network's sizes are deduced from the tensors, every tensor the network needs is checked to be there with the right
//! shape, and a tensor that no formula uses is refused by name. No number is read before [`TensorView::to_f32`].
//!
//! Files are not trusted. Offsets and sizes are checked before use, nothing in a file is executed, and work and memory
//! are bounded by the file's size, so a damaged or hostile file ends in one [`CheckpointError`].
mod archive;
mod error;
mod foreign;
mod ggmf;
pub mod names;
mod pickle;
mod pth;
pub mod random;
mod safetensors;
mod view;
pub mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde::Serialize;

pub use error::{CheckpointError, ErrorKind};
pub use names::{Shape, TensorSpec};
pub use view::{Dtype, TensorView};

use error::{printable, tuple};

/// The container a checkpoint came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// BlinkDL's: what `torch.save` writes, a zip archive with a pickle.
    Pth,
    Safetensors,
    /// rwkv.cpp's `.bin`, version 100 or 101, FP32 or FP16.
    Ggmf,
}

/// A tensor as a format module found it.
#[derive(Debug)]
struct Entry {
    name: String,
    /// The number format, or the name of one that no weight may have.
    dtype: Result<Dtype, String>,
    /// File position of the first number.
    start: usize,
    /// Bytes from the first number to the last.
    span: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// Reason why a tensor cannot be where the file says; the caller adds the name.
type Reason = String;

impl Entry {
    /// `start` and `end` bound the bytes the tensor may lie in and must lie in the file; `strides` in numbers.
    fn new(
        name: String,
        dtype: Result<Dtype, String>,
        start: usize,
        end: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Result<Self, Reason> {
        let Ok(known) = dtype else {
            return Ok(Self { name, dtype, start, span: 0, shape, strides });
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
        let span = numbers.checked_mul(known.size()).ok_or_else(too_big)?;
        if start > end || span > end - start {
            return Err(format!(
                "shape {} needs {span} bytes at {start}, expected them to end at or before byte {end}",
                tuple(&shape)
            ));
        }
        Ok(Self { name, dtype, start, span, shape, strides })
    }

    /// The official form of the small vectors: `(1, 1, n)` becomes `(n)`.
    fn drop_unit_axes(&mut self) {
        if self.shape.len() > 2 {
            let keep: Vec<bool> = self.shape.iter().map(|&d| d != 1).collect();
            let filter = |v: &[usize]| v.iter().zip(&keep).filter(|(_, &k)| k).map(|(&x, _)| x).collect();
            (self.shape, self.strides) = (filter(&self.shape), filter(&self.strides));
            if self.shape.is_empty() {
                (self.shape, self.strides) = (vec![1], vec![1]);
            }
        }
    }
}

/// Strides of a row-major tensor.
fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i]);
    }
    strides
}

/// An open checkpoint: complete, well-shaped, not yet read.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    format: Format,
    shape: Shape,
    map: Mmap,
    /// The tensors of [`Shape::tensors`], by name.
    entries: BTreeMap<String, Entry>,
    ignored: Vec<String>,
}

impl Checkpoint {
    /// Maps and checks the checkpoint at `path`. The file must not be changed while the result is alive.
    ///
    /// # Errors
    /// A [`CheckpointError`] if the file cannot be read, is none of the formats, is damaged, is not RWKV-7, lacks a tensor, or
    /// holds one that RWKV-7 does not have.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        Self::open_inner(path).map_err(|kind| CheckpointError::new(path, kind))
    }

    fn open_inner(path: &Path) -> Result<Self, ErrorKind> {
        let meta = std::fs::metadata(path)?;
        if !meta.is_file() {
            return Err(ErrorKind::NotAFile);
        }
        if meta.len() == 0 {
            return Err(ErrorKind::Empty);
        }
        let file = File::open(path)?;
        // SAFETY: the mapping is read-only and outlives every view; that nobody truncates the file is the documented condition.
        let map = unsafe { Mmap::map(&file)? };
        let (format, found) = parse(&map)?;
        let (shape, entries, ignored) = check(found)?;
        Ok(Self { path: path.to_owned(), format, shape, map, entries, ignored })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What a `.safetensors` file says about itself, such as the task it was trained for; nothing for other formats.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        match self.format {
            Format::Safetensors => safetensors::metadata(&self.map),
            Format::Pth | Format::Ggmf => BTreeMap::new(),
        }
    }

    /// Names of tensors in the file that no formula uses: `v0 v1 v2` of `blocks.0.att`, or nothing.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The tensor called `name`, if RWKV-7 has one of that name.
    pub fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        self.entries.get(name).and_then(|e| self.view(e))
    }

    /// Every tensor of the network, in the order of the names.
    pub fn tensors(&self) -> impl Iterator<Item = TensorView<'_>> {
        self.entries.values().filter_map(|e| self.view(e))
    }

    /// `None` never happens after `check`, which leaves only entries inside the file and with a known dtype.
    fn view<'a>(&'a self, e: &'a Entry) -> Option<TensorView<'a>> {
        Some(TensorView {
            name: &e.name,
            dtype: *e.dtype.as_ref().ok()?,
            shape: &e.shape,
            strides: &e.strides,
            bytes: self.map.get(e.start..e.start + e.span)?,
        })
    }

    /// The numbers of tensor `name`, row-major, all finite.
    ///
    /// # Errors
    /// If there is no such tensor, or if it holds a NaN or an infinity: the error names the index.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, CheckpointError> {
        let fail = |kind| Err(CheckpointError::new(&self.path, kind));
        let Some(view) = self.tensor(name) else {
            return fail(ErrorKind::Missing {
                name: printable(name),
                hint: "RWKV-7 has no tensor of that name".into(),
            });
        };
        let values = view.to_f32();
        if let Some((index, value)) = view.first_not_finite(&values) {
            return fail(ErrorKind::NotFinite { name: name.to_owned(), index, value });
        }
        Ok(values)
    }
}

/// Recognises the container by its first bytes and lists its tensors.
fn parse(bytes: &[u8]) -> Result<(Format, Vec<Entry>), ErrorKind> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok((Format::Pth, pth::entries(bytes)?));
    }
    if bytes.starts_with(&ggmf::MAGIC) {
        return Ok((Format::Ggmf, ggmf::entries(bytes)?));
    }
    if bytes.get(8) == Some(&b'{') {
        return Ok((Format::Safetensors, safetensors::entries(bytes)?));
    }
    let what = if bytes.starts_with(b"GGUF") {
        "a GGUF file".to_owned()
    } else if bytes.starts_with(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") {
        "a torch file of before 2020 (load it with torch and save it again)".to_owned()
    } else {
        let head: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
        format!("no checkpoint (its first bytes are {})", head.join(" "))
    };
    Err(ErrorKind::UnknownFormat { what })
}

type Checked = (Shape, BTreeMap<String, Entry>, Vec<String>);

/// Deduces the sizes and checks that every tensor the network needs is there, well-shaped, and nobody else's.
fn check(found: Vec<Entry>) -> Result<Checked, ErrorKind> {
    let mut all = BTreeMap::new();
    for mut entry in found {
        entry.drop_unit_axes();
        if let Some(twin) = all.insert(entry.name.clone(), entry) {
            return Err(ErrorKind::Tensor { name: printable(&twin.name), what: "is in the file twice".into() });
        }
    }
    if let Some((generation, sign)) = names::other_generation(|n| all.contains_key(n)) {
        return Err(ErrorKind::OtherGeneration { generation, sign });
    }
    let foreign = |name: &str, what| ErrorKind::Foreign { name: printable(name), what };
    if let Some((name, what)) = foreign::known(all.keys().map(String::as_str)) {
        return Err(foreign(name, what));
    }
    let shape = deduce(&all)?;
    let mut entries = BTreeMap::new();
    for spec in shape.tensors() {
        let Some(entry) = all.remove(&spec.name) else {
            return Err(missing(&spec.name, format!("expected {} = {}", spec.dim_names(), tuple(&spec.shape))));
        };
        if entry.shape != spec.shape {
            return Err(misshapen(&entry, format!("{} = {}", spec.dim_names(), tuple(&spec.shape))));
        }
        if let Err(found) = &entry.dtype {
            return Err(ErrorKind::Dtype { name: spec.name, found: found.clone() });
        }
        entries.insert(spec.name, entry);
    }
    check_disjoint(&entries)?;
    if let Some(name) = all.keys().find(|n| !foreign::may_be_left_out(n)) {
        return Err(foreign(name, foreign::UNKNOWN));
    }
    Ok((shape, entries, all.into_keys().collect()))
}

/// The sizes, from the tensors that show them.
fn deduce(all: &BTreeMap<String, Entry>) -> Result<Shape, ErrorKind> {
    let get = |name: &str, axes: &'static str| -> Result<[usize; 2], ErrorKind> {
        let hint = || match all.keys().next() {
            Some(first) => {
                format!("expected {axes}; the file has {} tensors, the first is {}", all.len(), printable(first))
            }
            None => "the file holds no tensors".to_owned(),
        };
        let entry = all.get(name).ok_or_else(|| missing(name, hint()))?;
        match entry.shape[..] {
            [rows, columns] if rows > 0 && columns > 0 => Ok([rows, columns]),
            _ => Err(misshapen(entry, format!("{axes}, both at least 1"))),
        }
    };
    let [vocab_size, n_embd] = get("emb.weight", "(vocab_size, n_embd)")?;
    let [n_head, head_size] = get("blocks.0.att.r_k", "(n_head, head_size)")?;
    if n_head.checked_mul(head_size) != Some(n_embd) {
        let expected = format!("(n_head, head_size) with n_head * head_size = n_embd = {n_embd}");
        return Err(misshapen(&all["blocks.0.att.r_k"], expected));
    }
    let layer = |name: &str| name.strip_prefix("blocks.")?.split('.').next()?.parse::<usize>().ok();
    let of_deep_embed = |name: &String| names::in_layer(name).is_some_and(|(_, leaf)| names::is_deep_embed(leaf));
    let n_layer = all.keys().filter_map(|n| layer(n)).collect::<BTreeSet<_>>().len();
    Ok(Shape {
        n_layer,
        n_embd,
        n_head,
        head_size,
        vocab_size,
        dim_ffn: get("blocks.0.ffn.key.weight", "(dim_ffn, n_embd)")?[0],
        rank_w: get("blocks.0.att.w1", "(n_embd, rank_w)")?[1],
        rank_a: get("blocks.0.att.a1", "(n_embd, rank_a)")?[1],
        rank_v: if n_layer > 1 { get("blocks.1.att.v1", "(n_embd, rank_v)")?[1] } else { 0 },
        rank_g: get("blocks.0.att.g1", "(n_embd, rank_g)")?[1],
        // if there is one such tensor, every layer must have all of them
        deep_embed: all.keys().any(of_deep_embed),
    })
}

/// No two tensors may share bytes, except the embedding and the head, which some networks tie. With this the weights
/// in memory are never more than twice the file.
fn check_disjoint(entries: &BTreeMap<String, Entry>) -> Result<(), ErrorKind> {
    let mut by_start: Vec<&Entry> = entries.values().filter(|e| e.name != "head.weight").collect();
    by_start.sort_by_key(|e| e.start);
    match by_start.windows(2).find(|w| w[1].start < w[0].start + w[0].span) {
        Some(w) => Err(ErrorKind::Tensor {
            name: w[1].name.clone(),
            what: format!("overlaps tensor {} in the file, expected each to have its own bytes", w[0].name),
        }),
        None => Ok(()),
    }
}

fn missing(name: &str, hint: String) -> ErrorKind {
    ErrorKind::Missing { name: name.to_owned(), hint }
}

fn misshapen(entry: &Entry, expected: String) -> ErrorKind {
    ErrorKind::Misshapen { name: entry.name.clone(), found: tuple(&entry.shape), expected }
}
