//! rwkv.cpp's `.bin` ("ggmf"): six header words, then one record a tensor to the end of the file, without padding.
//!
//! ```text
//! u32 magic, version, n_vocab, n_embed, n_layer, data_type
//! record: u32 n_dims, key_length, data_type; u32 shape[n_dims] (fastest axis first); key; numbers
//! ```
//!
//! Two things differ from the official tensors: low-rank pairs are stored transposed, and the six mixes
//! `x_r x_w x_k x_v x_a x_g` are one tensor `x_rwkvag`, which [`super::spelling`] cuts apart.

use super::entry::Entry;
use super::error::{printable, tuple};
use super::spelling::is_low_rank;
use super::{Dtype, ErrorKind};

/// 0x67676d66, little-endian.
pub(super) const MAGIC: [u8; 4] = *b"fmgg";

const MAX_DIMS: u32 = 4;
const MAX_KEY: u32 = 256;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], ErrorKind> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..n).ok_or_else(|| {
            damaged(format!(
                "the file ends at byte {}, {n} more bytes expected after byte {}",
                self.bytes.len(),
                self.at
            ))
        })?;
        self.at += n;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u32, ErrorKind> {
        let b = self.take(4)?;
        Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }
}

fn damaged(what: String) -> ErrorKind {
    ErrorKind::Container { format: "rwkv.cpp .bin", what }
}

/// The tensors of the file, renamed and turned to their official form.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, ErrorKind> {
    let mut r = Reader { bytes, at: 4 };
    let version = r.word()?;
    if !(100..=101).contains(&version) {
        return Err(damaged(format!("version {version}, expected 100 or 101")));
    }
    let [n_vocab, n_embed, n_layer] = [r.word()?, r.word()?, r.word()?];
    number_format(r.word()?, version).map_err(damaged)?;
    let mut out = Vec::new();
    while r.at < bytes.len() {
        out.push(record(&mut r, version)?);
    }
    check_header(&out, n_vocab, n_embed, n_layer)?;
    Ok(out)
}

fn number_format(code: u32, version: u32) -> Result<Dtype, String> {
    let dtype = match code {
        0 => Dtype::F32,
        1 => Dtype::F16,
        2 => Dtype::Q4_0,
        3 => Dtype::Q4_1,
        7 => Dtype::Q5_0,
        8 => Dtype::Q5_1,
        9 => Dtype::Q8_0,
        4..=6 => return Err("has a block format that rwkv.cpp has removed; quantise the original again".into()),
        _ => return Err(format!("has data type {code}, expected 0 (FP32), 1 (FP16), or 2 3 7 8 9 (block-quantised)")),
    };
    match dtype.block().0 {
        2.. if version < 101 => Err("is block-quantised as before version 101; quantise the original again".into()),
        _ => Ok(dtype),
    }
}

fn record(r: &mut Reader<'_>, version: u32) -> Result<Entry, ErrorKind> {
    let start = r.at;
    let [n_dims, key_length, code] = [r.word()?, r.word()?, r.word()?];
    if n_dims == 0 || n_dims > MAX_DIMS || key_length > MAX_KEY {
        return Err(damaged(format!("the record at byte {start} has {n_dims} axes and a name of {key_length} bytes")));
    }
    let mut shape = Vec::new();
    for _ in 0..n_dims {
        shape.push(r.word()? as usize);
    }
    let name = std::str::from_utf8(r.take(key_length as usize)?)
        .map_err(|_| damaged(format!("the name in the record at byte {start} is not UTF-8")))?
        .to_owned();
    let tensor = |what| ErrorKind::Tensor { name: printable(&name), what };
    let dtype = number_format(code, version).map_err(tensor)?;
    let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let Some(size) = count.and_then(|n| dtype.bytes(n)) else {
        return Err(tensor(format!("shape {} is none that {dtype} can have", tuple(&shape))));
    };
    let data = r.at;
    r.take(size).map_err(|_| tensor(format!("needs {size} bytes, the file has {} more", r.bytes.len() - data)))?;
    let mut entry = Entry::ggml(name.clone(), dtype, data, data + size, shape).map_err(tensor)?;
    if is_low_rank(&name) {
        entry.transpose();
    }
    Ok(entry)
}

/// The header repeats what the tensors show; a difference means a damaged file.
fn check_header(out: &[Entry], n_vocab: u32, n_embed: u32, n_layer: u32) -> Result<(), ErrorKind> {
    let emb = out.iter().find(|e| e.name == "emb.weight").map(|e| e.shape.clone());
    if emb.as_ref().is_some_and(|s| *s != [n_vocab as usize, n_embed as usize]) {
        return Err(ErrorKind::Misshapen {
            name: "emb.weight".into(),
            found: tuple(&emb.unwrap_or_default()),
            expected: format!("(n_vocab, n_embed) = ({n_vocab}, {n_embed}) of the file's header"),
        });
    }
    let layers = out.iter().filter(|e| e.name.ends_with(".ln1.weight")).count();
    if layers != n_layer as usize {
        return Err(damaged(format!("the header says {n_layer} layers, the tensors make {layers}")));
    }
    Ok(())
}
