//! `.safetensors`: `u64` length of a JSON header, the header, then the numbers.
//!
//! ```text
//! {"name": {"dtype": "F16", "shape": [2, 3], "data_offsets": [begin, end]}, "__metadata__": {...}}
//! ```
//!
//! Files are written with the `safetensors` crate; the header is read here because that crate's errors do not name
//! the tensor, and because it adds offsets from the file without checking for overflow.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::entry::{row_major, Entry};
use super::error::{printable, tuple};
use super::{Dtype, ErrorKind};

#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// The header's tensors in file order.
struct Header(Vec<(String, Info)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Tensors;
        impl<'de> Visitor<'de> for Tensors {
            type Value = Header;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of tensors")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut out = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        out.push((name, map.next_value()?));
                    }
                }
                Ok(Header(out))
            }
        }
        d.deserialize_map(Tensors)
    }
}

/// What the file says about itself in `__metadata__`: names and texts. Anything else there is left out.
pub(super) fn metadata(bytes: &[u8]) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    struct About {
        #[serde(rename = "__metadata__", default)]
        about: BTreeMap<String, serde_json::Value>,
    }
    let header = bytes
        .split_first_chunk::<8>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?));
    let about = header.and_then(|h| serde_json::from_slice::<About>(h).ok()).map(|a| a.about).unwrap_or_default();
    about.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
}

/// The tensors of the file.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, ErrorKind> {
    let damaged = |what: String| ErrorKind::Container { format: ".safetensors", what };
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(damaged(format!("has {} bytes, expected a header", bytes.len())));
    };
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().and_then(|n| rest.get(..n));
    let header = header
        .ok_or_else(|| damaged(format!("the header should have {length} bytes, the file has {} more", rest.len())))?;
    let base = 8 + header.len();
    let Header(tensors) = serde_json::from_slice(header).map_err(|e| damaged(format!("in the header: {e}")))?;
    let mut out = Vec::with_capacity(tensors.len());
    for (name, info) in tensors {
        let tensor = |what| ErrorKind::Tensor { name: printable(&name), what };
        let (begin, end) = info.data_offsets;
        let size = bytes.len() - base;
        if begin > end || end > size {
            return Err(tensor(format!("lies at bytes {begin} to {end} of the data, which has {size} bytes")));
        }
        let dtype = match info.dtype.as_str() {
            "F32" => Ok(Dtype::F32),
            "F16" => Ok(Dtype::F16),
            "BF16" => Ok(Dtype::Bf16),
            other => Err(printable(other)),
        };
        if let Ok(dtype) = dtype {
            let count = info.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
            if count.and_then(|n| dtype.bytes(n)) != Some(end - begin) {
                return Err(tensor(format!(
                    "has {} bytes, which is not {} of {dtype}",
                    end - begin,
                    tuple(&info.shape)
                )));
            }
        }
        let strides = row_major(&info.shape);
        out.push(Entry::new(name.clone(), dtype, base + begin, base + end, info.shape, strides).map_err(tensor)?);
    }
    Ok(out)
}
