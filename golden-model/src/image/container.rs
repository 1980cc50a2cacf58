//! The `.anser` file: a quantised model, ready to stream.
//!
//! ```text
//! 0    8 bytes   "ANSER\r\n" and 0x1a: a copy made in text mode does not start like this
//! 8    u32       version: 5 with formats of the residual stream by layer, 4 with 4-bit weights by columns, else 3 (2 had neither branches nor clusters, 1 no 4-bit weights; all are read)
//! 12   u32       0
//! 16   u64       bytes of the metadata
//! 24   u64       bytes of the stream
//! 32   32 bytes  SHA-256 of bytes 0..32 and of everything from byte 64 on
//! 64   metadata  JSON: shape, formats, tensors; padded with spaces to 64 bytes
//! ...  stream    as `layout` describes it: what the chip reads, IMAGE_BASE points here
//! ```
//!
//! Numbers are little-endian. A file is written under a temporary name and renamed when complete; it is verified when opened.

use crate::arithmetic::tensor::{QMatrix, QVector};
use crate::checkpoint::Shape;
use crate::image::layout::{
    decode_embedding, decode_matrix, decode_order, decode_vector, encode, Block, BlockKind, MatrixFormat, StreamLayout,
};
use crate::image::UNIT;
use crate::network::formats::{LayerFormats, NetFormats};
use crate::network::model::{ModelError, QModel};
use crate::network::tensors::TensorSource;
use memmap2::Mmap;
use records::output::Output;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// First bytes of every image.
pub const MAGIC: [u8; 8] = *b"ANSER\r\n\x1a";
/// The newest version.
pub const VERSION: u32 = 5;
/// The version of an image with 4-bit weights by columns.
const WITH_COLUMNS: u32 = 4;
/// The version of an image that older programs read, too: all but those with 4-bit weights by columns.
const WITHOUT_COLUMNS: u32 = 3;
/// The oldest it reads.
pub const OLDEST: u32 = 1;
const HEADER: usize = 64;

/// Why an image cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", path.display())]
pub struct ImageError {
    pub path: PathBuf,
    pub kind: ImageErrorKind,
}

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
pub enum ImageErrorKind {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("not an .anser image: it starts with {found:02x?}, expected \"ANSER\"")]
    Magic { found: Vec<u8> },
    #[error("image version {found}, expected {OLDEST} to {VERSION}: quantise the checkpoint again")]
    Version { found: u32 },
    #[error("{found} bytes, expected {expected}: the file is incomplete or has something appended")]
    Length { found: u64, expected: u64 },
    #[error("checksum {found}, expected {expected}: the file is damaged")]
    Checksum { found: String, expected: String },
    #[error("metadata: {0}")]
    Metadata(String),
    #[error("{0}")]
    Model(#[from] ModelError),
}

/// The JSON part of an image.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Metadata {
    shape: Shape,
    formats: NetFormats,
    layer_formats: Vec<LayerFormats>,
    tensors: Vec<Block>,
}

/// Writes `model` to `path`; gives the bytes written. An existing file is replaced only by a complete new one.
///
/// # Errors
/// If the directory cannot be written or the disk is full; then nothing is left behind.
pub fn write(model: &QModel, path: &Path) -> Result<u64, ImageError> {
    write_inner(model, path).map_err(|kind| ImageError { path: path.into(), kind })
}

fn write_inner(model: &QModel, path: &Path) -> Result<u64, ImageErrorKind> {
    let layout = StreamLayout::of(model);
    let metadata = Metadata {
        shape: model.shape.clone(),
        formats: model.f.clone(),
        layer_formats: model.layers.iter().map(|l| l.f.clone()).collect(),
        tensors: layout.blocks().to_vec(),
    };
    let mut json = serde_json::to_vec(&metadata).map_err(|e| ImageErrorKind::Metadata(e.to_string()))?;
    json.resize(json.len().next_multiple_of(UNIT), b' ');
    let stream_bytes = layout.units() * UNIT as u64;
    let mut head = Vec::with_capacity(HEADER);
    head.extend(MAGIC);
    let columns = |b: &Block| matches!(b.kind, BlockKind::Matrix { format: MatrixFormat::W4Columns, .. });
    let version = match () {
        () if model.layers.iter().any(|l| l.f.f_x.is_some()) => VERSION,
        () if layout.blocks().iter().any(columns) => WITH_COLUMNS,
        () => WITHOUT_COLUMNS,
    };
    head.extend(version.to_le_bytes());
    head.extend(0u32.to_le_bytes());
    head.extend((json.len() as u64).to_le_bytes());
    head.extend(stream_bytes.to_le_bytes());
    let mut hash = Sha256::new();
    hash.update(&head);
    hash.update(&json);

    let mut output = Output::create(path)?;
    let file = output.file();
    file.write_all(&[0; HEADER])?;
    file.write_all(&json)?;
    for (name, tensor) in model.tensors() {
        let bytes = encode(&name, &tensor, model.shape.n_embd);
        hash.update(&bytes);
        file.write_all(&bytes)?;
    }
    head.extend(hash.finalize());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&head)?;
    output.finish()?;
    Ok((HEADER + json.len()) as u64 + stream_bytes)
}

/// An open, verified image.
#[derive(Debug)]
pub struct Image {
    path: PathBuf,
    map: Mmap,
    metadata: Metadata,
    layout: StreamLayout,
    stream: std::ops::Range<usize>,
}

impl Image {
    /// Whether the file at `path` starts like an image; false if it cannot be read.
    pub fn is_image(path: &Path) -> bool {
        let mut start = [0; MAGIC.len()];
        let read = std::fs::File::open(path).and_then(|mut f| std::io::Read::read_exact(&mut f, &mut start));
        read.is_ok() && start == MAGIC
    }

    /// Maps and verifies the image at `path`. The file must not be changed while the result is alive.
    ///
    /// # Errors
    /// An [`ImageError`] that says which of magic, version, length, checksum and metadata is wrong.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        Self::open_inner(path).map_err(|kind| ImageError { path: path.into(), kind })
    }

    fn open_inner(path: &Path) -> Result<Self, ImageErrorKind> {
        let file = std::fs::File::open(path)?;
        let found = file.metadata()?.len();
        if found == 0 {
            return Err(ImageErrorKind::Magic { found: vec![] });
        }
        // SAFETY: the mapping is read-only; that nobody truncates the file is the documented condition.
        let map = unsafe { Mmap::map(&file)? };
        if !map.starts_with(&MAGIC) {
            return Err(ImageErrorKind::Magic { found: map.iter().take(MAGIC.len()).copied().collect() });
        }
        if map.len() < HEADER {
            return Err(ImageErrorKind::Length { found, expected: HEADER as u64 });
        }
        let u32_at = |at: usize| u32::from_le_bytes([map[at], map[at + 1], map[at + 2], map[at + 3]]);
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        if !(OLDEST..=VERSION).contains(&u32_at(8)) {
            return Err(ImageErrorKind::Version { found: u32_at(8) });
        }
        let expected = u64_at(16).saturating_add(u64_at(24)).saturating_add(HEADER as u64);
        if found != expected {
            return Err(ImageErrorKind::Length { found, expected });
        }
        let mut hash = Sha256::new();
        hash.update(&map[..32]);
        hash.update(&map[HEADER..]);
        let (got, want) = (hash.finalize(), &map[32..HEADER]);
        if got[..] != *want {
            let hex = |b: &[u8]| b.iter().take(8).map(|b| format!("{b:02x}")).collect::<String>() + "…";
            return Err(ImageErrorKind::Checksum { found: hex(&got), expected: hex(want) });
        }
        let start = HEADER + u64_at(16) as usize;
        let metadata: Metadata =
            serde_json::from_slice(&map[HEADER..start]).map_err(|e| ImageErrorKind::Metadata(e.to_string()))?;
        let stream = start..map.len();
        let layout = check_blocks(&metadata, stream.len())?;
        Ok(Self { path: path.into(), map, metadata, layout, stream })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn shape(&self) -> &Shape {
        &self.metadata.shape
    }

    pub fn formats(&self) -> (&NetFormats, &[LayerFormats]) {
        (&self.metadata.formats, &self.metadata.layer_formats)
    }

    /// Where each tensor lies in [`Image::stream`].
    pub fn layout(&self) -> &StreamLayout {
        &self.layout
    }

    /// The bytes the chip reads.
    pub fn stream(&self) -> &[u8] {
        &self.map[self.stream.clone()]
    }

    /// Bytes of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// The model, exactly as it was written.
    ///
    /// # Errors
    /// If a tensor is missing or the parts do not fit together.
    pub fn model(&self) -> Result<QModel, ImageError> {
        self.model_inner().map_err(|kind| ImageError { path: self.path.clone(), kind })
    }

    fn model_inner(&self) -> Result<QModel, ImageErrorKind> {
        let mut tensors = Tensors { image: self };
        let emb = match tensors.block("emb.weight")? {
            (Block { kind: BlockKind::Embedding { cols, stride_units, .. }, .. }, bytes) => {
                decode_embedding(bytes, *cols as usize, *stride_units as usize)
            }
            (b, _) => return Err(wrong_kind(b, "an embedding")),
        };
        let m = &self.metadata;
        let model = QModel::build(m.shape.clone(), m.formats.clone(), m.layer_formats.clone(), emb, &mut tensors)?;
        model.check()?;
        if StreamLayout::of(&model) != self.layout {
            return Err(ImageErrorKind::Metadata(
                "tensors are not in the order or of the size this version writes".into(),
            ));
        }
        Ok(model)
    }
}

/// Every block has the length its kind needs and lies in the stream.
fn check_blocks(metadata: &Metadata, stream_bytes: usize) -> Result<StreamLayout, ImageErrorKind> {
    let units = (stream_bytes / UNIT) as u64;
    for b in &metadata.tensors {
        let ok =
            b.len_units == b.kind.units() && b.offset_units.checked_add(b.len_units).is_some_and(|end| end <= units);
        let fits = match b.kind {
            BlockKind::Embedding { cols, stride_units, .. } => {
                u64::from(cols) * 2 <= u64::from(stride_units) * UNIT as u64
            }
            _ => true,
        };
        if !ok || !fits {
            return Err(ImageErrorKind::Metadata(format!(
                "{}: {} units at {}, expected {} units within {units}",
                b.name,
                b.len_units,
                b.offset_units,
                b.kind.units()
            )));
        }
    }
    if metadata.layer_formats.len() != metadata.shape.n_layer {
        let found = metadata.layer_formats.len();
        return Err(ImageErrorKind::Metadata(format!(
            "formats of {found} layers, expected {}",
            metadata.shape.n_layer
        )));
    }
    Ok(StreamLayout::new(metadata.tensors.clone()))
}

fn wrong_kind(b: &Block, expected: &str) -> ImageErrorKind {
    ImageErrorKind::Metadata(format!("{} is {:?}, expected {expected}", b.name, b.kind))
}

struct Tensors<'a> {
    image: &'a Image,
}

impl<'a> Tensors<'a> {
    fn block(&self, name: &str) -> Result<(&'a Block, &'a [u8]), ImageErrorKind> {
        let b = self
            .image
            .layout
            .block(name)
            .ok_or_else(|| ImageErrorKind::Metadata(format!("tensor {name} is missing")))?;
        let start = b.offset_units as usize * UNIT;
        Ok((b, &self.image.stream()[start..start + b.len_units as usize * UNIT]))
    }
}

impl TensorSource for Tensors<'_> {
    type Error = ImageErrorKind;
    type Matrix = QMatrix;

    fn vector(&mut self, name: &str) -> Result<QVector, ImageErrorKind> {
        match self.block(name)? {
            (Block { kind: BlockKind::Vector { len }, frac, .. }, bytes) => {
                Ok(decode_vector(bytes, *len as usize, *frac))
            }
            (b, _) => Err(wrong_kind(b, "a vector")),
        }
    }

    fn order(&mut self, name: &str) -> Result<Vec<u32>, ImageErrorKind> {
        match self.block(name)? {
            (Block { kind: BlockKind::Order { len }, .. }, bytes) => Ok(decode_order(bytes, *len as usize)),
            (b, _) => Err(wrong_kind(b, "an order")),
        }
    }

    fn matrix(&mut self, name: &str) -> Result<QMatrix, ImageErrorKind> {
        match self.block(name)? {
            (Block { kind: BlockKind::Matrix { rows, cols, format }, frac, .. }, bytes) => {
                Ok(decode_matrix(bytes, *rows as usize, *cols as usize, *format, *frac))
            }
            (b, _) => Err(wrong_kind(b, "a matrix")),
        }
    }
}
