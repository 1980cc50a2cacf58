//! Where the members of a zip archive lie: its central directory, with the 64-bit extension torch uses for large files.
//!
//! The `zip` crate is not used for files a user hands in: it looks for the directory wherever a signature appears, which
//! on a file full of signatures takes time quadratic in its size (two megabytes: 22 s). This reader takes one pass
//! over the last 64 KiB and one over the directory.

use std::collections::HashMap;
use std::ops::Range;

use super::error::printable;

/// End of central directory: 22 bytes and a comment of at most 65,535.
const END: [u8; 4] = *b"PK\x05\x06";
const END_LEN: usize = 22;
const END64_LOCATOR: [u8; 4] = *b"PK\x06\x07";
const END64_LOCATOR_LEN: usize = 20;
const END64: [u8; 4] = *b"PK\x06\x06";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const ENTRY_LEN: usize = 46;
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LEN: usize = 30;
/// Extra field with the 64-bit sizes and offset that a 32-bit field of all ones stands for.
const EXTRA64: u16 = 1;

/// Little-endian numbers at byte positions; `None` outside the file.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }
    fn u16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }
    fn u32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }
    fn u64(self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }
    fn slice(self, at: usize, len: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(len)?)
    }
}

/// The bytes of every member, by name. All must be stored as they are.
///
/// # Errors
/// What is wrong with the archive, without the file's name.
pub(super) fn members(bytes: &[u8]) -> Result<HashMap<String, Range<usize>>, String> {
    let file = Bytes(bytes);
    let (count, offset, end) = directory(file)?;
    let mut at = offset;
    let mut out = HashMap::new();
    for i in 0..count {
        // an entry has at least 46 bytes, so a false count ends here, not in a long loop
        let entry = entry(file, at, end)
            .ok_or_else(|| format!("entry {i} of {count} in the archive's directory, at byte {at}, is damaged"))?;
        let name = printable(&String::from_utf8_lossy(entry.name));
        if entry.method != 0 || entry.encrypted {
            return Err(format!("member {name} is compressed or encrypted, expected it stored as torch.save does"));
        }
        let data = data(file, &entry).ok_or_else(|| {
            format!(
                "member {name} should have {} bytes after its header at byte {}, the file ends at byte {}",
                entry.size,
                entry.local,
                bytes.len()
            )
        })?;
        if out.insert(String::from_utf8_lossy(entry.name).into_owned(), data).is_some() {
            return Err(format!("member {name} is in the archive twice"));
        }
        at = entry.next;
    }
    Ok(out)
}

/// Number of entries, and first and last position of the central directory.
fn directory(file: Bytes<'_>) -> Result<(u64, usize, usize), String> {
    let size = file.0.len();
    let lowest = size.saturating_sub(END_LEN + usize::from(u16::MAX));
    let is_end = |&at: &usize| {
        file.array(at) == Some(END)
            && file.u16(at + 20).is_some_and(|comment| at + END_LEN + usize::from(comment) == size)
    };
    let end = (lowest..=size.saturating_sub(END_LEN)).rev().find(is_end);
    let end = end.ok_or("the archive's directory is missing, as in a file that was cut short")?;

    let locator = end.checked_sub(END64_LOCATOR_LEN).filter(|&at| file.array(at) == Some(END64_LOCATOR));
    let place = match locator {
        Some(locator) => end64(file, locator),
        None => small_end(file, end),
    };
    let (count, offset, length) = place.ok_or("the end of the archive is damaged")?;
    let range = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
    let range = range.and_then(|(o, l)| Some((o, o.checked_add(l)?))).filter(|&(_, stop)| stop <= end);
    let (offset, stop) = range.ok_or_else(|| {
        format!("the archive's directory should have {length} bytes at {offset}, past the end of the file")
    })?;
    Ok((count, offset, stop))
}

fn small_end(file: Bytes<'_>, at: usize) -> Option<(u64, u64, u64)> {
    Some((file.u16(at + 10)?.into(), file.u32(at + 16)?.into(), file.u32(at + 12)?.into()))
}

fn end64(file: Bytes<'_>, locator: usize) -> Option<(u64, u64, u64)> {
    let at = usize::try_from(file.u64(locator + 8)?).ok()?;
    if file.array(at)? != END64 {
        return None;
    }
    Some((file.u64(at.checked_add(32)?)?, file.u64(at.checked_add(48)?)?, file.u64(at.checked_add(40)?)?))
}

/// One member, as the directory has it.
struct Entry<'a> {
    name: &'a [u8],
    method: u16,
    encrypted: bool,
    size: u64,
    /// Position of the local header.
    local: u64,
    /// Position of the next entry.
    next: usize,
}

fn entry(file: Bytes<'_>, at: usize, end: usize) -> Option<Entry<'_>> {
    if file.array(at)? != ENTRY {
        return None;
    }
    let [name, extra, comment] = [28, 30, 32].map(|o| file.u16(at + o).map(usize::from));
    let (name, extra, comment) = (name?, extra?, comment?);
    let next = at + ENTRY_LEN + name + extra + comment;
    if next > end {
        return None;
    }
    let mut entry = Entry {
        name: file.slice(at + ENTRY_LEN, name)?,
        method: file.u16(at + 10)?,
        encrypted: file.u16(at + 8)? & 1 == 1,
        size: file.u32(at + 20)?.into(),
        local: file.u32(at + 42)?.into(),
        next,
    };
    let full_size = file.u32(at + 24)?;
    wide_fields(Bytes(file.slice(at + ENTRY_LEN + name, extra)?), full_size, &mut entry)?;
    Some(entry)
}

/// Replaces all-ones 32-bit fields by the 64-bit ones of the extra field, which holds only those, in a fixed order.
fn wide_fields(extra: Bytes<'_>, full_size: u32, entry: &mut Entry<'_>) -> Option<()> {
    const WIDE: u64 = u32::MAX as u64;
    if full_size != u32::MAX && entry.size != WIDE && entry.local != WIDE {
        return Some(());
    }
    let mut at = 0;
    while extra.u16(at)? != EXTRA64 {
        at += 4 + usize::from(extra.u16(at + 2)?);
    }
    let mut field = at + 4;
    let mut take = || {
        field += 8;
        extra.u64(field - 8)
    };
    if full_size == u32::MAX {
        take()?; // equal to the stored size: only uncompressed members are read
    }
    if entry.size == WIDE {
        entry.size = take()?;
    }
    if entry.local == WIDE {
        entry.local = take()?;
    }
    Some(())
}

/// The member's bytes, after its local header.
fn data(file: Bytes<'_>, entry: &Entry<'_>) -> Option<Range<usize>> {
    let local = usize::try_from(entry.local).ok()?;
    if file.array(local)? != LOCAL {
        return None;
    }
    let name = usize::from(file.u16(local + 26)?);
    let extra = usize::from(file.u16(local + 28)?);
    let start = local.checked_add(LOCAL_LEN + name + extra)?;
    let end = start.checked_add(usize::try_from(entry.size).ok()?)?;
    (end <= file.0.len()).then_some(start..end)
}
