//! rwkv.cpp's `.bin` ("ggmf"): six header words, then one record a tensor to the end of the file, without padding.
//!
//! ```text
//! u32 magic, version, n_vocab, n_embed, n_layer, data_type
//! record: u32 n_dims, key_length, data_type; u32 shape[n_dims] (fastest axis first); key; numbers
//! ```
//!
//! Two things differ from the official tensors: low-rank pairs are stored transposed, and the six mixes
//! `x_r x_w x_k x_v x_a x_g` are one tensor `x_rwkvag`.

use super::error::{printable, tuple};
use super::{row_major, Dtype, Entry, ErrorKind};

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
    number_format(r.word()?).map_err(damaged)?;
    let mut out = Vec::new();
    while r.at < bytes.len() {
        record(&mut r, &mut out)?;
    }
    check_header(&out, n_vocab, n_embed, n_layer)?;
    Ok(out)
}

fn number_format(code: u32) -> Result<Dtype, String> {
    match code {
        0 => Ok(Dtype::F32),
        1 => Ok(Dtype::F16),
        2 | 3 | 7 | 8 | 9 => Err("is block-quantised, expected FP32 or FP16".to_owned()),
        _ => Err(format!("has data type {code}, expected 0 (FP32) or 1 (FP16)")),
    }
}

fn record(r: &mut Reader<'_>, out: &mut Vec<Entry>) -> Result<(), ErrorKind> {
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
    let dtype = number_format(code).map_err(tensor)?;
    let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let Some(size) = count.and_then(|n| n.checked_mul(dtype.size())) else {
        return Err(tensor(format!("shape {} is absurd", tuple(&shape))));
    };
    let data = r.at;
    r.take(size).map_err(|_| tensor(format!("needs {size} bytes, the file has {} more", r.bytes.len() - data)))?;

    let leaf = name.rsplit('.').next().unwrap_or_default();
    if leaf == "x_rwkvag" {
        let prefix = &name[..name.len() - "rwkvag".len()];
        let n = size / dtype.size() / 6;
        if n == 0 || n * 6 * dtype.size() != size {
            return Err(tensor(format!("has shape {}, expected six vectors of equal length", tuple(&shape))));
        }
        for (i, mix) in "rwkvag".chars().enumerate() {
            let at = data + i * n * dtype.size();
            out.push(
                Entry::new(format!("{prefix}{mix}"), Ok(dtype), at, data + size, vec![n], vec![1]).map_err(tensor)?,
            );
        }
        return Ok(());
    }
    let low_rank = matches!(leaf, "w1" | "w2" | "a1" | "a2" | "v1" | "v2" | "g1" | "g2");
    let strides = match shape[..] {
        [rows, _] if low_rank => vec![1, rows],
        _ => {
            shape.reverse();
            row_major(&shape)
        }
    };
    out.push(Entry::new(name.clone(), Ok(dtype), data, data + size, shape, strides).map_err(tensor)?);
    Ok(())
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
