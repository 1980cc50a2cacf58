//! Opening text files: every text input of the project comes through here.
//!
//! Compression, byte-order marks and encodings are thus handled in one way: a file may be gzip-compressed, which its first bytes
//! say and not its name; a byte-order mark is passed over; UTF-16 is read where a mark announces it. What no rule can read for
//! certain (UTF-32, bytes without a meaning as text) is refused by name.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Error as IoError, Read};
use std::path::{Path, PathBuf};

/// A text file that cannot be read; lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("{}: cannot be read: {source}", path.display())]
    Io { path: PathBuf, source: IoError },
    #[error("{}: is encoded in {encoding}, expected UTF-8, or UTF-16 with a byte-order mark; convert it with: iconv -f {encoding} -t UTF-8", path.display())]
    Encoding { path: PathBuf, encoding: &'static str },
    #[error("{}:{line}: expected text, found a zero byte (a binary file, or UTF-16 without a byte-order mark)", path.display())]
    Binary { path: PathBuf, line: usize },
    #[error("{}:{line}: expected UTF-8, found the byte 0x{byte:02x}; if the file is Latin-1, convert it with: iconv -f ISO-8859-1 -t UTF-8", path.display())]
    NotUtf8 { path: PathBuf, line: usize, byte: u8 },
}

const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Bytes read at once.
const CHUNK: usize = 1 << 16;

/// Opens a text file that is too large to be read whole. Bytes that are no UTF-8 come as they are.
///
/// # Errors
/// A file that cannot be opened, UTF-32, and a zero byte near the beginning.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, TextError> {
    let io = |source| TextError::Io { path: path.into(), source };
    let file = File::open(path).map_err(io)?;
    // a folder opens, and says so when it is read
    let mut plain: Box<dyn BufRead> = Box::new(BufReader::with_capacity(CHUNK, file));
    if plain.fill_buf().map_err(io)?.starts_with(GZIP) {
        plain = Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(plain)));
    }
    let start = plain.fill_buf().map_err(io)?;
    if start.starts_with(UTF8_MARK) {
        plain.consume(UTF8_MARK.len());
    } else if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        let mut bytes = Vec::new();
        plain.read_to_end(&mut bytes).map_err(io)?;
        return Ok(Box::new(Cursor::new(utf16(path, &bytes)?)));
    } else if start.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err(TextError::Encoding { path: path.into(), encoding: "UTF-32BE" });
    } else if let Some(at) = start.iter().position(|&b| b == 0) {
        return Err(TextError::Binary { path: path.into(), line: line_of(start, at) });
    }
    Ok(plain)
}

/// Returns the bytes of a text whose content matters to the byte, such as a prompt: UTF-8 without its byte-order mark. Bytes that
/// are no UTF-8 and line ends stay as they are.
///
/// # Errors
/// Fails where [`open`] does, and for a file that ends in the middle of its compression.
pub fn bytes(path: &Path) -> Result<Vec<u8>, TextError> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|source| TextError::Io { path: path.into(), source })?;
    Ok(bytes)
}

/// Reads a file of a language whose comments may be in Latin-1, as old libraries have them: bytes that are no UTF-8 are taken as
/// Latin-1. Every line ends with `\n`, whatever the file has.
///
/// # Errors
/// Fails where [`bytes`] does, and for a zero byte anywhere.
pub fn read(path: &Path) -> Result<String, TextError> {
    let bytes = bytes(path)?;
    if let Some(at) = bytes.iter().position(|&b| b == 0) {
        return Err(TextError::Binary { path: path.into(), line: line_of(&bytes, at) });
    }
    Ok(unix_lines(latin1_or_utf8(bytes)))
}

/// Reads a file that must be UTF-8, such as a configuration or a record. Every line ends with `\n`, whatever the file has.
///
/// # Errors
/// Fails where [`read`] does, and for bytes that are no UTF-8.
pub fn read_utf8(path: &Path) -> Result<String, TextError> {
    let text = String::from_utf8(bytes(path)?).map_err(|e| {
        let (at, bytes) = (e.utf8_error().valid_up_to(), e.as_bytes());
        TextError::NotUtf8 { path: path.into(), line: line_of(bytes, at), byte: bytes[at] }
    })?;
    Ok(unix_lines(text))
}

/// The text of `bytes`, those that are no UTF-8 taken as Latin-1.
pub fn latin1_or_utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| {
        let chunks = e.as_bytes().utf8_chunks();
        chunks.flat_map(|c| c.valid().chars().chain(c.invalid().iter().map(|&b| char::from(b)))).collect()
    })
}

fn unix_lines(text: String) -> String {
    match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n"),
        false => text,
    }
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at].iter().filter(|&&b| b == b'\n').count()
}

/// The UTF-8 of UTF-16 that begins with its mark.
fn utf16(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, TextError> {
    let refused = |encoding| TextError::Encoding { path: path.into(), encoding };
    let is_little = bytes[0] == 0xff;
    if is_little && bytes.get(2..4) == Some(&[0, 0]) {
        return Err(refused("UTF-32LE"));
    }
    let pairs = bytes[2..].chunks(2);
    let units = pairs.map(|p| {
        let pair = [p[0], p.get(1).copied().unwrap_or(0)];
        if is_little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map(String::into_bytes).map_err(|_| refused("an unknown form of UTF-16"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(bytes).expect("written");
        file
    }

    fn utf16_of(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn every_form_of_one_text_is_read_alike() {
        let text = "a µ\nb\n";
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all("\u{feff}a µ\r\nb\r\n".as_bytes()).expect("written");
        for form in [
            text.into(),
            "\u{feff}a µ\r\nb\r\n".into(),
            utf16_of("\u{feff}a µ\nb\n", u16::to_le_bytes),
            utf16_of("\u{feff}a µ\r\nb\n", u16::to_be_bytes),
            gz.finish().expect("finished"),
        ] {
            let file = file(&form);
            assert_eq!(read(file.path()).expect("text"), text, "{form:?}");
            assert_eq!(read_utf8(file.path()).expect("text"), text, "{form:?}");
        }
        let latin1 = file(b"a \xb5\rb\n");
        assert_eq!(read(latin1.path()).expect("text"), text);
        assert_eq!(bytes(latin1.path()).expect("bytes"), b"a \xb5\rb\n");
        assert!(read(file(b"").path()).expect("nothing").is_empty());
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        let message = |bytes: &[u8]| {
            let file = file(bytes);
            let message = read_utf8(file.path()).expect_err("no text").to_string();
            message.replace(&file.path().display().to_string(), "f")
        };
        assert!(message(b"a\nb \xe4").starts_with("f:2: expected UTF-8, found the byte 0xe4"));
        assert!(message(b"a\n\0b").starts_with("f:2: expected text, found a zero byte"));
        assert!(message(&[0xff, 0xfe, 0, 0, b'a', 0, 0, 0]).starts_with("f: is encoded in UTF-32LE"));
        assert!(message(&[0, 0, 0xfe, 0xff]).starts_with("f: is encoded in UTF-32BE"));
        assert!(message(&[0xff, 0xfe, 0, 0xd8]).contains("unknown form of UTF-16"));
        assert!(message(&[0x1f, 0x8b, 8, 0, 0]).starts_with("f: cannot be read: "));
        assert!(read(Path::new("nowhere")).expect_err("missing").to_string().starts_with("nowhere: cannot be read: "));
        let late = file(&[vec![b'a'; CHUNK], vec![0]].concat());
        assert!(read(late.path()).expect_err("a zero byte").to_string().contains("zero byte"));
    }
}
