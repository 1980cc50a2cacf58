//! GGUF, as llama.cpp writes RWKV-7: a table of keys, a list of tensors, then their numbers. Little-endian.
//!
//! ```text
//! "GGUF", u32 version, u64 n_tensors, u64 n_keys
//! key:    text, u32 type, value         text: u64 length, bytes       array: u32 type, u64 length, values
//! tensor: text, u32 n_dims, u64 shape[n_dims] (fastest axis first), u32 type, u64 offset from the first number
//! numbers: from the next multiple of `general.alignment` on
//! ```

use std::collections::HashMap;

use super::entry::Entry;
use super::error::printable;
use super::facts::{Facts, Vocabulary};
use super::spelling::Spelling;
use super::{Dtype, ErrorKind};
use crate::arithmetic::norm::Eps;
use crate::text::python_literal::unescape_bytes;

pub(super) const MAGIC: [u8; 4] = *b"GGUF";

const MAX_DIMS: u32 = 4;
const MAX_NAME: usize = 256;
/// Arrays may hold arrays; nobody nests them deeper.
const MAX_DEPTH: u32 = 4;
/// The type of a token that stands for text.
const NORMAL: u64 = 1;

/// A value of the table, as far as anybody asks for it.
enum Value<'a> {
    Number(u64),
    Float(f32),
    Text(&'a [u8]),
    Texts(Vec<&'a [u8]>),
    Numbers(Vec<u64>),
    Other,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn damaged(what: String) -> ErrorKind {
    ErrorKind::Container { format: "GGUF", what }
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], ErrorKind> {
        let taken = self.bytes[self.at..].get(..n).ok_or_else(|| {
            damaged(format!(
                "the file ends at byte {}, {n} more bytes expected after byte {}",
                self.bytes.len(),
                self.at
            ))
        })?;
        self.at += n;
        Ok(taken)
    }

    /// An unsigned number of `n` bytes, at most 8.
    fn number(&mut self, n: usize) -> Result<u64, ErrorKind> {
        let mut le = [0; 8];
        le[..n].copy_from_slice(self.take(n)?);
        Ok(u64::from_le_bytes(le))
    }

    fn u32(&mut self) -> Result<u32, ErrorKind> {
        Ok(self.number(4)? as u32)
    }

    fn text(&mut self) -> Result<&'a [u8], ErrorKind> {
        let n = self.number(8)?;
        self.take(usize::try_from(n).unwrap_or(usize::MAX))
    }

    fn name(&mut self) -> Result<&'a str, ErrorKind> {
        let at = self.at;
        let text = self.text()?;
        let name = std::str::from_utf8(text).ok().filter(|n| n.len() <= MAX_NAME);
        name.ok_or_else(|| damaged(format!("the name at byte {at} is not UTF-8 of at most {MAX_NAME} bytes")))
    }

    /// Bytes of one number of a type; `None` for texts and arrays.
    fn size(kind: u32) -> Result<Option<usize>, ErrorKind> {
        match kind {
            0 | 1 | 7 => Ok(Some(1)),
            2 | 3 => Ok(Some(2)),
            4..=6 => Ok(Some(4)),
            10..=12 => Ok(Some(8)),
            8 | 9 => Ok(None),
            _ => Err(damaged(format!("a value of type {kind}, expected 0 to 12"))),
        }
    }

    fn value(&mut self, kind: u32, depth: u32) -> Result<Value<'a>, ErrorKind> {
        if let Some(size) = Self::size(kind)? {
            let number = self.number(size)?;
            return Ok(match kind {
                6 => Value::Float(f32::from_bits(number as u32)),
                12 => Value::Other,
                _ => Value::Number(number),
            });
        }
        if kind == 8 {
            return Ok(Value::Text(self.text()?));
        }
        if depth == 0 {
            return Err(damaged(format!("arrays in one another, {MAX_DEPTH} deep")));
        }
        let (of, count) = (self.u32()?, self.number(8)?);
        match Self::size(of)? {
            Some(size) => {
                let length = usize::try_from(count).ok().and_then(|n| n.checked_mul(size)).unwrap_or(usize::MAX);
                let bytes = self.take(length)?;
                let number = |b: &[u8]| b.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b));
                Ok(Value::Numbers(if size == 4 { bytes.chunks_exact(4).map(number).collect() } else { vec![] }))
            }
            None => {
                // every value takes 8 bytes or more, so a false count ends with the file
                let mut texts = vec![];
                for _ in 0..count {
                    if let Value::Text(text) = self.value(of, depth - 1)? {
                        texts.push(text);
                    }
                }
                Ok(Value::Texts(texts))
            }
        }
    }
}

/// The table of keys.
struct Keys<'a>(HashMap<&'a str, Value<'a>>);

impl Keys<'_> {
    fn number(&self, key: &str) -> Option<u64> {
        match self.0.get(key) {
            Some(Value::Number(n)) => Some(*n),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key) {
            Some(Value::Text(t)) => Some(String::from_utf8_lossy(t).into_owned()),
            _ => None,
        }
    }

    fn needed<T>(&self, key: &'static str, value: Option<T>) -> Result<T, ErrorKind> {
        value.ok_or_else(|| damaged(format!("the key {key} is missing or not of its type")))
    }

    /// A key that RWKV-7 must have with one value, if at all.
    fn must(&self, key: &'static str, expected: u64) -> Result<(), ErrorKind> {
        match self.number(key) {
            Some(n) if n != expected => {
                Err(ErrorKind::Setting { key: key.into(), found: n.to_string(), expected: expected.to_string() })
            }
            _ => Ok(()),
        }
    }

    fn facts(&self) -> Result<Facts, ErrorKind> {
        self.must("rwkv7.token_shift_count", 2)?;
        self.must("rwkv7.rescale_every_n_layers", 0)?;
        let mut facts = Facts { vocabulary: self.vocabulary()?, ..Facts::default() };
        const EPS: &str = "rwkv7.attention.layer_norm_epsilon";
        let ln = match self.0.get(EPS) {
            // the shortest decimal number that rounds to it, which is the one that was meant
            Some(Value::Float(eps)) => eps.to_string().parse().ok(),
            _ => None,
        };
        let eps = Eps { ln: self.needed(EPS, ln)?, ..Eps::default() };
        facts.set_eps(EPS, eps)?;
        for (key, of) in [
            ("rwkv7.block_count", (|s| s.n_layer) as fn(&super::Shape) -> usize),
            ("rwkv7.embedding_length", |s| s.n_embd),
            ("rwkv7.feed_forward_length", |s| s.dim_ffn),
        ] {
            facts.claims.extend(self.number(key).map(|n| (key, usize::try_from(n).unwrap_or(usize::MAX), of)));
        }
        Ok(facts)
    }

    /// The tokens, written as Python writes bytes.
    fn vocabulary(&self) -> Result<Vocabulary, ErrorKind> {
        let model = match self.text("tokenizer.ggml.model") {
            Some(model) if model != "no_vocab" && model != "none" => model,
            _ => return Ok(Vocabulary::BySize),
        };
        if model != "rwkv" {
            return Ok(Vocabulary::Other(printable(&model)));
        }
        let (Some(Value::Texts(texts)), Some(Value::Numbers(kinds))) =
            (self.0.get("tokenizer.ggml.tokens"), self.0.get("tokenizer.ggml.token_type"))
        else {
            return Err(damaged("the tokens of the tokenizer or their types are missing".into()));
        };
        if texts.len() != kinds.len() {
            return Err(damaged(format!("{} tokens but {} types of tokens", texts.len(), kinds.len())));
        }
        let token = |(i, (text, kind)): (usize, (&&[u8], &u64))| {
            if *kind != NORMAL {
                return Ok(None);
            }
            let bytes = std::str::from_utf8(text).ok().and_then(unescape_bytes).filter(|b| !b.is_empty());
            bytes
                .map(|b| Some(b.into()))
                .ok_or_else(|| damaged(format!("token {i} is not written as Python writes bytes")))
        };
        Ok(Vocabulary::Tokens(texts.iter().zip(kinds).enumerate().map(token).collect::<Result<_, _>>()?))
    }
}

/// The tensors of the file under their official names, and what its keys say.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Entry>, Facts), ErrorKind> {
    let mut r = Reader { bytes, at: MAGIC.len() };
    let version = r.u32()?;
    if !(2..=3).contains(&version) {
        let swapped = version.swap_bytes();
        let order = if (2..=3).contains(&swapped) { " in big-endian order" } else { "" };
        return Err(damaged(format!(
            "version {}{order}, expected 2 or 3, little-endian",
            if order.is_empty() { version } else { swapped }
        )));
    }
    let (n_tensors, n_keys) = (r.number(8)?, r.number(8)?);
    let mut keys = Keys(HashMap::new());
    for _ in 0..n_keys {
        let name = r.name()?;
        let kind = r.u32()?;
        let value = r.value(kind, MAX_DEPTH)?;
        keys.0.insert(name, value);
    }
    let architecture = keys.text("general.architecture").unwrap_or_default();
    if architecture != "rwkv7" {
        return Err(ErrorKind::Recognised {
            what: format!("a GGUF file of architecture \"{}\"", printable(&architecture)),
            remedy: match architecture.as_str() {
                "arwkv7" => "that is a hybrid of RWKV-7 with another network; expected rwkv7".into(),
                _ => "expected rwkv7".into(),
            },
        });
    }
    if let Some(parts) = keys.number("split.count").filter(|&n| n > 1) {
        return Err(ErrorKind::Recognised {
            what: format!("one of the {parts} parts of a GGUF file"),
            remedy: "join them with llama.cpp's `llama-gguf-split --merge`".into(),
        });
    }
    let facts = keys.facts()?;
    let head_size = keys.needed("rwkv7.wkv.head_size", keys.number("rwkv7.wkv.head_size"))?;
    let head_size = usize::try_from(head_size).unwrap_or(usize::MAX);
    let alignment = keys.number("general.alignment").unwrap_or(32);
    let mut infos = vec![];
    for _ in 0..n_tensors {
        infos.push(info(&mut r)?);
    }
    let alignment = usize::try_from(alignment).ok().filter(|&a| a.is_power_of_two() && a <= 1 << 20);
    let alignment = alignment.ok_or_else(|| damaged("general.alignment is not a power of two up to 2^20".into()))?;
    let data = r.at.next_multiple_of(alignment);
    let entries: Vec<Entry> = infos.into_iter().map(|i| i.entry(data, bytes.len())).collect::<Result<_, _>>()?;
    let mut entries = Spelling::Gguf.translate(entries)?;
    for e in entries.iter_mut().filter(|e| e.name.ends_with(".att.r_k")) {
        e.drop_unit_axes();
        if let [n] = e.shape[..] {
            if head_size > 0 && n.is_multiple_of(head_size) {
                (e.shape, e.strides) = (vec![n / head_size, head_size], vec![head_size, 1]);
            }
        }
    }
    Ok((entries, facts))
}

/// A tensor as the list has it.
struct Info<'a> {
    name: &'a str,
    shape: Vec<usize>,
    code: u32,
    offset: u64,
}

fn info<'a>(r: &mut Reader<'a>) -> Result<Info<'a>, ErrorKind> {
    let name = r.name()?;
    let tensor = |what| ErrorKind::Tensor { name: printable(name), what };
    let n_dims = r.u32()?;
    if n_dims == 0 || n_dims > MAX_DIMS {
        return Err(tensor(format!("has {n_dims} axes, expected 1 to {MAX_DIMS}")));
    }
    let mut shape = vec![];
    for _ in 0..n_dims {
        let size = r.number(8)?;
        shape.push(usize::try_from(size).map_err(|_| tensor(format!("has an axis of {size}")))?);
    }
    Ok(Info { name, shape, code: r.u32()?, offset: r.number(8)? })
}

impl Info<'_> {
    fn entry(self, data: usize, end: usize) -> Result<Entry, ErrorKind> {
        let tensor = |what| ErrorKind::Tensor { name: printable(self.name), what };
        let name = self.name.to_owned();
        let dtype = match Dtype::of_ggml(self.code) {
            Ok(dtype) => dtype,
            Err(other) => return Entry::new(name, Err(other), data, end, self.shape, vec![]).map_err(tensor),
        };
        let start = usize::try_from(self.offset).ok().and_then(|o| data.checked_add(o));
        let start = start
            .filter(|&s| s <= end)
            .ok_or_else(|| tensor(format!("begins at {} of the numbers, after the end of the file", self.offset)))?;
        Entry::ggml(name, dtype, start, end, self.shape).map_err(tensor)
    }
}
