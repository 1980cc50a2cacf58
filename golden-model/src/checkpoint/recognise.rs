//! Files that people take for checkpoints, each with what to do instead.

use super::ErrorKind;

/// The first bytes of torch's format of before version 1.6, after the two bytes that say the protocol.
const LEGACY_TORCH: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// Says what a file is that starts like none of the formats.
pub(super) fn what_else(bytes: &[u8]) -> ErrorKind {
    let known = |what: &str, remedy: &str| ErrorKind::Recognised { what: what.into(), remedy: remedy.into() };
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]);
    let text = start.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if text.starts_with("version https://git-lfs") {
        return known(
            "a Git LFS pointer, not the file it stands for",
            "fetch that with `git lfs pull`, or download the file itself",
        );
    }
    if text.starts_with("<!doctype html") || text.starts_with("<html") || text.starts_with("<?xml") {
        return known("a web page, not the file", "download the file itself, not the page that shows it");
    }
    if text.starts_with('{') {
        return known("JSON text", "open the folder that it lies in, or the file with the weights");
    }
    if text.contains("accessdenied") || text.starts_with("entry not found") || text.starts_with("access to model") {
        return known(
            "a server's refusal, saved under the file's name",
            "download the file again, with the right to read it",
        );
    }
    for (magic, name) in [
        (&b"\x1f\x8b"[..], "gzip"),
        (b"\xfd7zXZ", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh", "bzip2"),
        (b"7z\xbc\xaf", "7-Zip"),
        (b"Rar!", "RAR"),
    ] {
        if starts(magic) {
            return known(&format!("compressed with {name}"), "unpack it and open what is inside");
        }
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return known("a tar archive", "unpack it and open what is inside");
    }
    if starts(b"\x80") && bytes.get(2..).is_some_and(|b| b.starts_with(LEGACY_TORCH)) {
        return known("a torch file of before version 1.6", "load it with torch and save it again with torch.save");
    }
    if starts(b"\x80") && matches!(bytes.get(1), Some(2..=5)) {
        return known(
            "a bare Python pickle",
            "pickles are never executed here: load it where it was made and save its tensors with torch.save",
        );
    }
    if starts(b"\x93NUMPY") {
        return known("a NumPy array", "expected a whole network");
    }
    if starts(b"ANSER\r\n\x1a") {
        return known("an .anser image", "this needs the checkpoint that it was made from");
    }
    let head: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
    ErrorKind::UnknownFormat { what: format!("no checkpoint (its first bytes are {})", head.join(" ")) }
}
