//! A model whose matrices stay where the weight stream has them: in the mapped image, or in one block of memory.

use crate::arithmetic::tensor::{QMatrix, QVector, RowScale, WeightBits};
use crate::image::layout::{decode_order, decode_vector, encode, Block, BlockKind, MatrixFormat, StreamLayout};
use crate::image::{nibble_columns, nibble_tiles, Image, ImageError, ImageErrorKind, UNIT};
use crate::network::model::{ModelError, QModel};
use crate::network::tensors::{Matrix, TensorSource};
use std::ops::Range;
use std::sync::Arc;

/// A piece of memory that starts on a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; UNIT]);

/// Where the bytes of the stream are.
#[derive(Debug)]
enum Stream {
    Image(Arc<Image>),
    Lines(Vec<Line>),
}

/// Bytes of one tensor, kept alive by whoever holds it.
#[derive(Clone, Debug)]
struct Bytes {
    stream: Arc<Stream>,
    /// in units
    units: Range<usize>,
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match &*self.stream {
            Stream::Image(image) => &image.stream()[self.units.start * UNIT..self.units.end * UNIT],
            Stream::Lines(lines) => bytes_of(&lines[self.units.clone()]),
        }
    }
}

fn bytes_of(lines: &[Line]) -> &[u8] {
    // SAFETY: a line is 64 plain bytes without padding, and bytes need no alignment.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), std::mem::size_of_val(lines)) }
}

/// A matrix `(rows, cols)` as it lies in the stream.
#[derive(Clone, Debug)]
pub struct StreamMatrix {
    bytes: Bytes,
    pub rows: usize,
    pub cols: usize,
    pub format: MatrixFormat,
    pub frac: i32,
}

impl StreamMatrix {
    /// The matrix' block, a multiple of 64 bytes; `docs/hardware.md` §2 says what lies where.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get()
    }

    /// `n` bytes of the stream from the matrix on, or what there is.
    pub fn onwards(&self, n: usize) -> &[u8] {
        let all = match &*self.bytes.stream {
            Stream::Image(image) => image.stream(),
            Stream::Lines(lines) => bytes_of(lines),
        };
        let start = self.bytes.units.start * UNIT;
        &all[start..all.len().min(start + n)]
    }

    /// Rows `rows` of a matrix in tiles, which start at a multiple of 32, where a scale unit is.
    pub fn part(&self, rows: Range<usize>) -> Self {
        let panel = self.panel_bytes() / UNIT;
        let start = self.bytes.units.start + rows.start / 32 * panel;
        let end = (self.bytes.units.start + rows.end.div_ceil(32) * panel).min(self.bytes.units.end);
        let bytes = Bytes { stream: self.bytes.stream.clone(), units: start..end };
        Self { bytes, rows: rows.len(), ..*self }
    }

    /// Columns as stored: a multiple of 4.
    pub fn padded_cols(&self) -> usize {
        self.cols.next_multiple_of(4)
    }

    /// Bytes from one scale unit to the next in the formats with tiles: the unit and 32 rows.
    pub fn panel_bytes(&self) -> usize {
        let tiles = if self.format == MatrixFormat::W16 { 4 } else { 2 };
        UNIT + tiles * self.tile_bytes()
    }

    /// Bytes of a tile.
    pub fn tile_bytes(&self) -> usize {
        match self.format {
            MatrixFormat::W4 => nibble_tiles::tile_bytes(self.cols),
            _ => 16 * self.padded_cols(),
        }
    }

    /// The columns of a matrix stored by columns, and the bytes from one to the next.
    pub fn columns(&self) -> (&[u8], usize) {
        let stride = match self.format {
            MatrixFormat::W4Columns => nibble_columns::column_bytes(self.rows),
            _ => self.rows.next_multiple_of(UNIT),
        };
        (&self.bytes()[self.rows.div_ceil(32) * UNIT..], stride)
    }

    /// Whether it is stored by columns, which can be left out.
    pub fn by_columns(&self) -> bool {
        matches!(self.format, MatrixFormat::W8Columns | MatrixFormat::W4Columns)
    }

    /// The scale unit of rows 32·panel to 32·panel + 31.
    pub fn scale_unit(&self, panel: usize) -> &[u8] {
        let at = match self.format {
            MatrixFormat::W8Columns | MatrixFormat::W4Columns => panel * UNIT,
            _ => panel * self.panel_bytes(),
        };
        &self.bytes()[at..at + UNIT]
    }
}

impl Matrix for StreamMatrix {
    type Embedding = StreamEmbedding;

    fn rows(&self) -> usize {
        self.rows
    }

    fn cols(&self) -> usize {
        self.cols
    }

    fn bits(&self) -> WeightBits {
        match self.format {
            MatrixFormat::W4 => WeightBits::W4,
            MatrixFormat::W4Columns => WeightBits::W4Columns,
            MatrixFormat::W16 => WeightBits::W16,
            MatrixFormat::W8 | MatrixFormat::W8Columns => WeightBits::W8,
        }
    }

    fn frac(&self) -> i32 {
        self.frac
    }

    fn scale(&self, r: usize) -> RowScale {
        let unit = self.scale_unit(r / 32);
        RowScale::unpack(u16::from_le_bytes([unit[r % 32 * 2], unit[r % 32 * 2 + 1]]))
    }

    fn held(&self) -> (usize, usize) {
        (self.rows * self.cols, QMatrix::scales_of(self.rows, self.cols, self.bits()))
        // the block has the length these need
    }

    fn embedding_len(embedding: &StreamEmbedding) -> usize {
        embedding.rows * embedding.cols
    }
}

/// `(vocab_size, n_embd)` as it lies in the stream.
#[derive(Clone, Debug)]
pub struct StreamEmbedding {
    bytes: Bytes,
    rows: usize,
    cols: usize,
    stride: usize,
}

impl StreamEmbedding {
    /// Row `token`, which must be below `rows`.
    pub fn row(&self, token: usize) -> impl Iterator<Item = i16> + '_ {
        let row = &self.bytes.get()[token * self.stride..][..2 * self.cols];
        row.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]]))
    }

    /// The whole weight stream, whose first block is the embedding.
    pub fn stream(&self) -> &[u8] {
        match &*self.bytes.stream {
            Stream::Image(image) => image.stream(),
            Stream::Lines(lines) => bytes_of(lines),
        }
    }
}

/// A model for [`super::Runner`].
pub type Weights = QModel<StreamMatrix>;

/// The model in `image`, which may be shared, whose weights stay in the mapped file.
///
/// # Errors
/// If a tensor is missing or the parts do not fit together, exactly when [`Image::model`] refuses it.
pub fn from_image(image: impl Into<Arc<Image>>) -> Result<Weights, ImageError> {
    let image = image.into();
    let path = image.path().to_path_buf();
    from_image_inner(image).map_err(|kind| ImageError { path, kind })
}

fn from_image_inner(image: Arc<Image>) -> Result<Weights, ImageErrorKind> {
    let shape = image.shape().clone();
    let (f, layers) = image.formats();
    let (f, layers) = (f.clone(), layers.to_vec());
    let layout = image.layout().clone();
    let mut source = Source { stream: Arc::new(Stream::Image(image)), layout: &layout };
    let model = Weights::build(shape, f, layers, source.embedding()?, &mut source)?;
    model.check()?;
    if StreamLayout::of(&model) != layout {
        let what = "tensors are not in the order or of the size this version writes";
        return Err(ImageErrorKind::Metadata(what.into()));
    }
    Ok(model)
}

/// The model as it would be read from its image, without a file.
///
/// # Errors
/// If the model fails [`QModel::check`].
pub fn from_model(model: &QModel) -> Result<Weights, ModelError> {
    model.check()?;
    let layout = StreamLayout::of(model);
    let mut lines = Vec::with_capacity(layout.units() as usize);
    for (name, tensor) in model.tensors() {
        let bytes = encode(&name, &tensor, model.shape.n_embd);
        lines.extend(bytes.chunks_exact(UNIT).map(|unit| {
            let mut line = Line([0; UNIT]);
            line.0.copy_from_slice(unit);
            line
        }));
    }
    let mut source = Source { stream: Arc::new(Stream::Lines(lines)), layout: &layout };
    let layers = model.layers.iter().map(|l| l.f.clone()).collect();
    let emb = source.embedding().map_err(|e| own_layout(&e));
    let built = emb.and_then(|emb| {
        Weights::build(model.shape.clone(), model.f.clone(), layers, emb, &mut source).map_err(|e| own_layout(&e))
    })?;
    built.check()?;
    Ok(built)
}

/// A stream this program has just laid out cannot lack a tensor; if it does, say so rather than panic.
fn own_layout(e: &ImageErrorKind) -> ModelError {
    ModelError::Value { what: "stream".into(), found: e.to_string(), expected: "the model's own layout".into() }
}

struct Source<'a> {
    stream: Arc<Stream>,
    layout: &'a StreamLayout,
}

impl Source<'_> {
    fn block(&self, name: &str) -> Result<(&Block, Bytes), ImageErrorKind> {
        let missing = || ImageErrorKind::Metadata(format!("tensor {name} is missing"));
        let b = self.layout.block(name).ok_or_else(missing)?;
        let start = b.offset_units as usize;
        Ok((b, Bytes { stream: self.stream.clone(), units: start..start + b.len_units as usize }))
    }

    fn embedding(&self) -> Result<StreamEmbedding, ImageErrorKind> {
        match self.block("emb.weight")? {
            (Block { kind: BlockKind::Embedding { rows, cols, stride_units }, .. }, bytes) => Ok(StreamEmbedding {
                bytes,
                rows: *rows as usize,
                cols: *cols as usize,
                stride: *stride_units as usize * UNIT,
            }),
            (b, _) => Err(wrong_kind(b, "an embedding")),
        }
    }
}

fn wrong_kind(b: &Block, expected: &str) -> ImageErrorKind {
    ImageErrorKind::Metadata(format!("{} is {:?}, expected {expected}", b.name, b.kind))
}

impl TensorSource for Source<'_> {
    type Error = ImageErrorKind;
    type Matrix = StreamMatrix;

    fn vector(&mut self, name: &str) -> Result<QVector, ImageErrorKind> {
        match self.block(name)? {
            (Block { kind: BlockKind::Vector { len }, frac, .. }, bytes) => {
                Ok(decode_vector(bytes.get(), *len as usize, *frac))
            }
            (b, _) => Err(wrong_kind(b, "a vector")),
        }
    }

    fn order(&mut self, name: &str) -> Result<Vec<u32>, ImageErrorKind> {
        match self.block(name)? {
            (Block { kind: BlockKind::Order { len }, .. }, bytes) => Ok(decode_order(bytes.get(), *len as usize)),
            (b, _) => Err(wrong_kind(b, "an order")),
        }
    }

    fn matrix(&mut self, name: &str) -> Result<StreamMatrix, ImageErrorKind> {
        match self.block(name)? {
            (Block { kind: BlockKind::Matrix { rows, cols, format }, frac, .. }, bytes) => {
                Ok(StreamMatrix { bytes, rows: *rows as usize, cols: *cols as usize, format: *format, frac: *frac })
            }
            (b, _) => Err(wrong_kind(b, "a matrix")),
        }
    }
}
