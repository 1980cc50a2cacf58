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
mod blocks;
mod config;
mod entry;
mod error;
mod facts;
mod files;
mod foreign;
mod ggmf;
mod gguf;
pub mod names;
mod pickle;
mod pth;
pub mod random;
mod recognise;
mod safetensors;
mod spelling;
pub mod tensor_file;
mod view;
pub mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde::Serialize;

pub use error::{CheckpointError, ErrorKind};
pub use facts::Vocabulary;
pub use names::{Shape, TensorSpec};
pub use spelling::Spelling;
pub use view::{Dtype, TensorView};

use crate::arithmetic::norm::Eps;
use entry::Entry;
use error::{printable, tuple};
use facts::Facts;
use files::{Files, InFile};

/// The container a checkpoint came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// BlinkDL's: what `torch.save` writes, a zip archive with a pickle.
    Pth,
    Safetensors,
    /// rwkv.cpp's `.bin`, version 100 or 101.
    Ggmf,
    /// llama.cpp's.
    Gguf,
}

/// An open checkpoint: complete, well-shaped, not yet read.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    format: Format,
    spelling: Spelling,
    shape: Shape,
    maps: Vec<Mmap>,
    /// The tensors of [`Shape::tensors`], by name.
    entries: BTreeMap<String, Entry>,
    ignored: Vec<String>,
    facts: Facts,
}

impl Checkpoint {
    /// Maps and checks the checkpoint at `path`: a file, or the folder of a Hugging Face model. No file of it must be
    /// changed while the result is alive.
    ///
    /// # Errors
    /// A [`CheckpointError`] if a file cannot be read, is none of the formats, is damaged, is not RWKV-7, lacks a tensor, or
    /// holds one that RWKV-7 does not have.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        Self::open_inner(path).map_err(|(file, kind)| CheckpointError::new(&file, kind))
    }

    fn open_inner(path: &Path) -> Result<Self, InFile> {
        let fail = |kind| (path.to_owned(), kind);
        let files = Files::find(path)?;
        let mut maps = Vec::with_capacity(files.weights.len());
        let mut found: Option<Parsed> = None;
        for (i, file) in files.weights.iter().enumerate() {
            let in_file = |kind| (file.clone(), kind);
            let map = map(file).map_err(in_file)?;
            let mut part = parse(&map).map_err(in_file)?;
            part.entries.iter_mut().for_each(|e| e.file = i);
            maps.push(map);
            match &mut found {
                None => found = Some(part),
                Some(all) if all.format == part.format => all.entries.append(&mut part.entries),
                Some(_) => return Err(in_file(ErrorKind::OtherFormat)),
            }
        }
        let Some(Parsed { format, mut entries, mut facts }) = found else { return Err(fail(ErrorKind::NoWeights)) };
        let held: BTreeSet<&str> = entries.iter().map(|e| &e.source[..]).collect();
        if let Some(name) = files.promised.iter().find(|p| !held.contains(&p[..])) {
            return Err(fail(missing(name, "the index of the checkpoint lists it".into())));
        }
        spelling::strip_prefixes(&mut entries);
        let spelling = if format == Format::Gguf { Spelling::Gguf } else { Spelling::of(&entries) };
        if spelling == Spelling::HuggingFace {
            facts = config::facts(&files.folder)?;
        }
        // the names of GGUF are translated where it is read
        let entries = if format == Format::Gguf { entries } else { spelling.translate(entries).map_err(fail)? };
        let (shape, entries, ignored) = check(entries, spelling, &facts).map_err(fail)?;
        Ok(Self { path: path.to_owned(), format, spelling, shape, maps, entries, ignored, facts })
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
        match (self.format, self.maps.first()) {
            (Format::Safetensors, Some(map)) => safetensors::metadata(map),
            _ => BTreeMap::new(),
        }
    }

    /// Says whose names the tensors of the file have.
    pub fn spelling(&self) -> Spelling {
        self.spelling
    }

    /// Names of tensors in the file that no formula uses: `v0 v1 v2` of layer 0, or nothing.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// What the norms add to the variance.
    pub fn eps(&self) -> Eps {
        self.facts.eps(&self.shape)
    }

    /// What the file says of its tokens.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.facts.vocabulary
    }

    /// Whether the head is the embedding.
    pub fn tied_head(&self) -> bool {
        let place = |name: &str| self.entries.get(name).map(|e| (e.file, e.start));
        place("head.weight") == place("emb.weight")
    }

    /// The number formats of the network's tensors, each once.
    pub fn dtypes(&self) -> BTreeSet<Dtype> {
        self.tensors().map(|t| t.dtype).collect()
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
            bytes: self.maps.get(e.file)?.get(e.start..e.start + e.span)?,
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

/// Maps a file that is not empty.
fn map(path: &Path) -> Result<Mmap, ErrorKind> {
    // opening a pipe would wait for its other end
    if !std::fs::metadata(path)?.is_file() {
        return Err(ErrorKind::NotAFile);
    }
    let file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Err(ErrorKind::Empty);
    }
    // SAFETY: the mapping is read-only and outlives every view; that nobody truncates the file is the documented condition.
    Ok(unsafe { Mmap::map(&file)? })
}

/// What a format module found in a file.
struct Parsed {
    format: Format,
    entries: Vec<Entry>,
    facts: Facts,
}

/// Recognises the container by its first bytes and lists its tensors.
fn parse(bytes: &[u8]) -> Result<Parsed, ErrorKind> {
    let (format, (entries, facts)) = if bytes.starts_with(b"PK\x03\x04") {
        (Format::Pth, (pth::entries(bytes)?, Facts::default()))
    } else if bytes.starts_with(&ggmf::MAGIC) {
        // nothing marks the end of such a file: without its head it was cut short
        (Format::Ggmf, (ggmf::entries(bytes)?, Facts { tied: Some(false), ..Facts::default() }))
    } else if bytes.starts_with(&gguf::MAGIC) {
        (Format::Gguf, gguf::read(bytes)?)
    } else if bytes.get(8) == Some(&b'{') {
        (Format::Safetensors, (safetensors::entries(bytes)?, Facts::default()))
    } else {
        return Err(recognise::what_else(bytes));
    };
    Ok(Parsed { format, entries, facts })
}

type Checked = (Shape, BTreeMap<String, Entry>, Vec<String>);

/// Deduces the sizes and checks that every tensor the network needs is there, well-shaped, and nobody else's.
fn check(found: Vec<Entry>, spelling: Spelling, facts: &Facts) -> Result<Checked, ErrorKind> {
    let mut all = BTreeMap::new();
    for mut entry in found {
        entry.drop_unit_axes();
        if let Some(twin) = all.insert(entry.name.clone(), entry) {
            return Err(ErrorKind::Tensor { name: twin.shown(), what: "is in the file twice".into() });
        }
    }
    if let Some((generation, sign)) = names::other_generation(|n| all.contains_key(n)) {
        return Err(ErrorKind::OtherGeneration { generation, sign });
    }
    if let Some((name, what)) = foreign::known(all.keys().map(String::as_str)) {
        return Err(ErrorKind::Foreign { name: all[name].shown(), what });
    }
    tie(&mut all, facts.tied)?;
    let missing = |name: &str, hint: String| match spelling.written(name) {
        Some(written) => missing(name, format!("it is called {written} in such a file; {hint}")),
        None => missing(name, hint),
    };
    let shape = deduce(&all, &missing)?;
    facts.check(&shape)?;
    let mut entries = BTreeMap::new();
    for spec in shape.tensors() {
        let Some(entry) = all.remove(&spec.name) else {
            return Err(missing(&spec.name, format!("expected {} = {}", spec.dim_names(), tuple(&spec.shape))));
        };
        if entry.shape != spec.shape {
            return Err(misshapen(&entry, format!("{} = {}", spec.dim_names(), tuple(&spec.shape))));
        }
        if let Err(found) = &entry.dtype {
            return Err(ErrorKind::Dtype { name: entry.shown(), found: found.clone() });
        }
        entries.insert(spec.name, entry);
    }
    check_disjoint(&entries)?;
    if let Some((_, e)) = all.iter().find(|(n, _)| !foreign::may_be_left_out(n)) {
        return Err(ErrorKind::Foreign { name: e.shown(), what: foreign::UNKNOWN });
    }
    Ok((shape, entries, all.into_values().map(|e| printable(&e.source)).collect()))
}

/// Makes the embedding the head of a network that has none of its own; `said` is what the file says of it. Where it says
/// that there is another head, that one is missing.
fn tie(all: &mut BTreeMap<String, Entry>, said: Option<bool>) -> Result<(), ErrorKind> {
    let (Some(emb), head) = (all.get("emb.weight"), all.get("head.weight")) else { return Ok(()) };
    let same = head.is_some_and(|h| (h.file, h.start) == (emb.file, emb.start));
    match (head.is_some(), said) {
        (true, Some(true)) if !same => Err(ErrorKind::Setting {
            key: "tie_word_embeddings".into(),
            found: "true".into(),
            expected: "false, because the file holds another head.weight".into(),
        }),
        (false, said) if said != Some(false) => {
            let head = Entry { name: "head.weight".into(), ..emb.clone() };
            all.insert("head.weight".into(), head);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The sizes, from the tensors that show them.
fn deduce(all: &BTreeMap<String, Entry>, missing: &dyn Fn(&str, String) -> ErrorKind) -> Result<Shape, ErrorKind> {
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
/// in memory are never more than eight times the file, whose numbers have 4.5 bits or more.
fn check_disjoint(entries: &BTreeMap<String, Entry>) -> Result<(), ErrorKind> {
    let mut by_start: Vec<&Entry> = entries.values().filter(|e| e.name != "head.weight").collect();
    by_start.sort_by_key(|e| (e.file, e.start));
    match by_start.windows(2).find(|w| w[1].file == w[0].file && w[1].start < w[0].start + w[0].span) {
        Some(w) => Err(ErrorKind::Tensor {
            name: w[1].shown(),
            what: format!("overlaps tensor {} in the file, expected each to have its own bytes", w[0].shown()),
        }),
        None => Ok(()),
    }
}

fn missing(name: &str, hint: String) -> ErrorKind {
    ErrorKind::Missing { name: name.to_owned(), hint }
}

fn misshapen(entry: &Entry, expected: String) -> ErrorKind {
    ErrorKind::Misshapen { name: entry.shown(), found: tuple(&entry.shape), expected }
}
