//! `.pth`: the zip archive `torch.save` writes. Member `*/data.pkl` is the pickled state dict, `*/data/KEY` the bytes of
//! storage KEY, stored without compression so that they can be used in place. Checksums are not verified: torch can
//! leave them out, and reading gigabytes twice only to look at them would be the slowest step.

use std::ops::Range;

use super::entry::Entry;
use super::error::{printable, tuple};
use super::pickle::{state_dict, PickledTensor};
use super::{archive, ErrorKind};

fn damaged(what: String) -> ErrorKind {
    ErrorKind::Container { format: "torch zip", what }
}

/// The tensors of the file.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, ErrorKind> {
    let members = archive::members(bytes).map_err(damaged)?;
    if members.keys().any(|n| n.contains("code/") && n.ends_with(".py")) {
        return Err(ErrorKind::Recognised {
            what: "a TorchScript archive, which holds a program".into(),
            remedy: "save the state dict of the module with torch.save".into(),
        });
    }
    let mut roots =
        members.keys().filter_map(|n| n.strip_suffix("data.pkl").filter(|r| r.is_empty() || r.ends_with('/')));
    let root = roots.next().ok_or_else(|| damaged("holds no data.pkl, expected what torch.save writes".into()))?;
    if roots.next().is_some() {
        return Err(damaged("holds more than one data.pkl".into()));
    }
    if let Some(order) = members.get(&format!("{root}byteorder")) {
        if bytes[order.clone()] != *b"little" {
            return Err(damaged("numbers are stored big-endian, expected little-endian".into()));
        }
    }
    let tensors = state_dict(&bytes[members[&format!("{root}data.pkl")].clone()])?;
    let mut out = Vec::with_capacity(tensors.len());
    for (name, t) in tensors {
        let member = format!("{root}data/{}", t.storage);
        let place = |data: Option<&Range<usize>>| -> Result<Entry, String> {
            let data = data.ok_or_else(|| format!("its storage {} is missing", printable(&member)))?;
            let (start, end) = window(&t, data)?;
            Entry::new(name.clone(), t.dtype.clone(), start, end, t.shape.clone(), t.strides.clone())
        };
        let entry = place(members.get(&member)).map_err(|what| ErrorKind::Tensor { name: printable(&name), what })?;
        out.push(entry);
    }
    Ok(out)
}

/// First byte of the tensor and end of its storage, in the file.
fn window(t: &PickledTensor, data: &Range<usize>) -> Result<(usize, usize), String> {
    let Ok(dtype) = t.dtype else {
        return Ok((data.start, data.end)); // never read
    };
    let bytes = dtype.bytes(t.storage_len).filter(|&n| n <= data.len());
    let bytes = bytes.ok_or_else(|| {
        format!("its storage should hold {} numbers of {dtype}, the file has {} bytes", t.storage_len, data.len())
    })?;
    let offset = dtype.bytes(t.offset).filter(|&o| o <= bytes);
    let offset = offset.ok_or_else(|| format!("starts at number {} of a storage of {}", t.offset, t.storage_len))?;
    if t.shape.contains(&0) {
        return Err(format!("has shape {}, expected no empty axis", tuple(&t.shape)));
    }
    Ok((data.start + offset, data.start + bytes))
}
