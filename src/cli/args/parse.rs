//! What an option's text must be.

use clap::builder::{PathBufValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use reports::all::Report;
use std::path::PathBuf;

/// A count of at least 1.
pub fn count() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

pub fn token(text: &str) -> Result<u32, String> {
    text.trim().parse().map_err(|_| "expected token numbers, such as 1,2,3".into())
}

pub fn probability(text: &str) -> Result<f64, String> {
    let p = text.parse().ok().filter(|p| (0.0..1.0).contains(p));
    p.ok_or_else(|| "expected a probability from 0 to below 1".into())
}

pub fn bits_a_weight(text: &str) -> Result<f64, String> {
    let bits = text.parse().ok().filter(|b| (1.0..=16.0).contains(b));
    bits.ok_or_else(|| "expected a number of bits from 1 to 16".into())
}

/// `64,64,32,128`.
pub fn ranks(text: &str) -> Result<[usize; 4], String> {
    let ranks: Option<Vec<usize>> = text.split(',').map(|r| r.trim().parse().ok()).collect();
    ranks.and_then(|r| r.try_into().ok()).ok_or_else(|| "expected four numbers, such as 64,64,32,128".into())
}

pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if n > 0.0 && n.is_finite() => Ok(n),
        _ => Err("expected a number above 0".into()),
    }
}

pub fn mhz(text: &str) -> Result<f64, String> {
    let mhz = text.parse().ok().filter(|m: &f64| m.is_finite() && *m > 0.0);
    mhz.ok_or_else(|| "expected MHz, such as 62.5".into())
}

/// Endings of file names that say what is in the file.
const ENDINGS: [&str; 16] = [
    "safetensors",
    "pth",
    "pt",
    "bin",
    "gguf",
    "ckpt",
    "anser",
    "html",
    "json",
    "csv",
    "npy",
    "fst",
    "vcd",
    "toml",
    "txt",
    "zip",
];

/// A file to write whose content is `format`: its name must not end as another format does. Names without an ending, such as those of
/// devices, say nothing.
pub fn file_of(format: &'static str) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(move |path| {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.filter(|e| e != format && ENDINGS.contains(&e.as_str())) {
            Some(other) => {
                Err(format!("it is written as {format}, expected a name that ends in .{format}, not in .{other}"))
            }
            None => Ok(path),
        }
    })
}

/// A step of `report all`, by its name.
pub fn step() -> impl TypedValueParser<Value = Report> {
    let names = Report::ALL.map(|r| PossibleValue::new(r.name()).help(r.title()));
    PossibleValuesParser::new(names).try_map(|name| Report::named(&name).ok_or("expected the name of a step"))
}
