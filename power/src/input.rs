//! Opening input files: any of them may be gzip-compressed, which is told from the content and not from the name.

use crate::error::Error;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Opens a file for reading, decompressing it on the way when it is gzip.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, Error> {
    let io = |source| Error::Io { path: path.into(), source };
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    if file.fill_buf().map_err(io)?.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(file))));
    }
    Ok(Box::new(file))
}

/// Reads a whole file as text; bytes that are not UTF-8 (seen in comments) become replacement characters.
pub fn read(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|source| Error::Io { path: path.into(), source })?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}
