//! Images: what is written comes back exactly, and every kind of damage is named.

mod common;

use common::{awkward_shape, deep_shape, random_pair, Pair};
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::Shape;
use golden_model::image::layout::{stream, StreamLayout};
use golden_model::image::{write, Image, ImageErrorKind, UNIT};
use golden_model::quantise::options::QuantOptions;
use std::path::{Path, PathBuf};

fn image(bits: WeightBits) -> (tempfile::TempDir, PathBuf, Pair) {
    image_of(&QuantOptions { bits, ..QuantOptions::default() })
}

fn image_of(options: &QuantOptions) -> (tempfile::TempDir, PathBuf, Pair) {
    image_of_shape(&awkward_shape(), options)
}

fn image_of_shape(shape: &Shape, options: &QuantOptions) -> (tempfile::TempDir, PathBuf, Pair) {
    let (pair, _) = random_pair(shape, 11, 1.0, 8, options);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.anser");
    let bytes = write(&pair.model, &path).unwrap();
    assert_eq!(bytes, std::fs::metadata(&path).unwrap().len());
    (dir, path, pair)
}

#[test]
fn a_model_comes_back_exactly() {
    for (bits, value, version) in [
        (WeightBits::W4, None, 3),
        (WeightBits::W8, None, 3),
        (WeightBits::W16, None, 3),
        (WeightBits::W4, Some(WeightBits::W4Columns), 4),
        (WeightBits::W8, Some(WeightBits::W4Columns), 4),
    ] {
        let (dir, path, pair) = image_of(&QuantOptions { bits, value, ..QuantOptions::default() });
        // older programs read what they can
        assert_eq!(std::fs::read(&path).unwrap()[8], version);
        let image = Image::open(&path).unwrap();
        assert!(Image::is_image(&path));
        assert_eq!(image.model().unwrap(), pair.model);
        assert_eq!(image.stream(), stream(&pair.model));
        assert_eq!(image.layout(), &StreamLayout::of(&pair.model));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "a temporary file is left");
    }
}

/// The matrices of all tokens are one block, each in whole units; a shape and formats that disagree are refused.
#[test]
fn deep_embed_comes_back_exactly() {
    let (_dir, path, pair) = image_of_shape(&deep_shape(), &QuantOptions::default());
    let image = Image::open(&path).unwrap();
    assert_eq!(image.model().unwrap(), pair.model);
    assert_eq!(image.stream(), stream(&pair.model));
    let block = image.layout().block("blocks.1.ffn.s_emb.weight").unwrap();
    assert!(block.len_units.is_multiple_of(deep_shape().vocab_size as u64));
    let plain = image_of(&QuantOptions::default());
    let read = |image: &Image| image.layout().bytes_per_token(None);
    // of each layer s0, s1, one matrix of 32 rows, s2, and their scales
    let (own, rest) = (1024 + 2 * 32, 2 * (104 + 32 * 48 + 32 + 104 * 32 + 104));
    assert_eq!(read(&image) - read(&Image::open(&plain.1).unwrap()), 3 * (own + rest));
    for (from, to, says) in [
        ("\"deep_embed\":true", "\"deep_embed\":false", "formats of DeepEmbed is true, expected false"),
        ("\"f_gate\":", "\"f_gate\":1", "shift deep_embed"),
        ("\"deep_embed\":{", "\"deep_embod\":{", "formats of DeepEmbed is false, expected true"),
        ("blocks.0.ffn.s_emb.weight", "blocks.0.ffn.s_amb.weight", "blocks.0.ffn.s_emb.weight is missing"),
        ("\"rows\":1600", "\"rows\":1632", "units"),
    ] {
        let message = forge(&path, from, to);
        assert!(message.contains(says), "{from} -> {to}: {message}");
    }
}

#[test]
fn blocks_follow_each_other_in_whole_units() {
    let (_dir, path, pair) = image(WeightBits::W8);
    let image = Image::open(&path).unwrap();
    let mut at = 0;
    for b in image.layout().blocks() {
        assert_eq!((b.offset_units, b.len_units > 0), (at, true), "{}", b.name);
        at += b.len_units;
    }
    assert_eq!(at as usize * UNIT, image.stream().len());
    // the memory the chip reads starts on a unit in the file, too
    assert_eq!((image.file_bytes() as usize - image.stream().len()) % UNIT, 0);
    let names: Vec<_> = pair.model.shape.tensors().map(|t| t.name).filter(|n| !n.contains(".ln0.")).collect();
    assert_eq!(names.len(), image.layout().blocks().len());
    assert!(names.iter().all(|n| image.layout().block(n).is_some()));
}

fn damaged(path: &Path, change: impl Fn(&mut Vec<u8>)) -> ImageErrorKind {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    let copy = path.with_extension("damaged");
    std::fs::write(&copy, bytes).unwrap();
    Image::open(&copy).expect_err("damage not noticed").kind
}

#[test]
fn damage_is_named() {
    let (_dir, path, _) = image(WeightBits::W8);
    let len = std::fs::metadata(&path).unwrap().len() as usize;
    use ImageErrorKind as E;
    assert!(matches!(damaged(&path, |b| b.clear()), E::Magic { .. }));
    assert!(matches!(damaged(&path, |b| b[0] = b'Z'), E::Magic { .. }));
    assert!(matches!(damaged(&path, |b| b.truncate(20)), E::Length { .. }));
    assert!(matches!(damaged(&path, |b| b[8] = 6), E::Version { found: 6 }));
    assert!(matches!(damaged(&path, |b| b.truncate(len - 1)), E::Length { .. }));
    assert!(matches!(damaged(&path, |b| b.push(0)), E::Length { .. }));
    assert!(matches!(damaged(&path, |b| b[31] = 255), E::Length { .. }));
    for at in [12, 40, 70, len / 2, len - 1] {
        assert!(matches!(damaged(&path, |b| b[at] ^= 4), E::Checksum { .. }), "byte {at}");
    }
    let missing = Image::open(Path::new("/nonexistent/model.anser")).unwrap_err();
    assert!(matches!(missing.kind, E::Io(_)) && missing.to_string().contains("model.anser"), "{missing}");
}

/// What opening the image at `path` says when its metadata has `to` instead of the first `from` and the checksum is right again.
fn forge(path: &Path, from: &str, to: &str) -> String {
    let bytes = std::fs::read(path).unwrap();
    let end = 64 + u64::from_le_bytes(bytes[16..24].try_into().unwrap()) as usize;
    let json = String::from_utf8(bytes[64..end].to_vec()).unwrap();
    assert!(json.contains(from), "{from}");
    let mut json = json.replacen(from, to, 1).trim_end().to_string().into_bytes();
    json.resize(json.len().next_multiple_of(64), b' ');
    let mut head = bytes[..32].to_vec();
    head[16..24].copy_from_slice(&(json.len() as u64).to_le_bytes());
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    hash.update(&head);
    hash.update(&json);
    hash.update(&bytes[end..]);
    head.extend(hash.finalize());
    let copy = path.with_extension("forged");
    std::fs::write(&copy, [head, json, bytes[end..].to_vec()].concat()).unwrap();
    Image::open(&copy).and_then(|i| i.model()).map(|_| ()).expect_err(from).to_string()
}

/// A file whose checksum is right but whose metadata is not: everything in it is checked before it is used.
#[test]
fn metadata_is_not_trusted() {
    let (_dir, path, _) = image(WeightBits::W8);
    for (from, to, says) in [
        ("\"f_k\":", "\"f_k\":1", "shift"),
        ("\"n_layer\":3", "\"n_layer\":30000000", "layers"),
        ("\"n_embd\":48", "\"n_embd\":96", ""),
        ("\"head_size\":16", "\"head_size\":0", ""),
        ("\"vocab_size\":50", "\"vocab_size\":51", "vocab_size"),
        ("\"offset_units\":0", "\"offset_units\":18446744073709551615", "emb.weight"),
        ("\"rows\":48", "\"rows\":4294967295", "units"),
        ("blocks.1.att.w1", "blocks.1.att.w9", "blocks.1.att.w1"),
        ("\"stride_units\":2", "\"stride_units\":1", "emb.weight"),
        ("\"w8_columns\"", "\"w4_columns\"", "units"),
        ("\"inv_n\":", "\"inv_n\":1", "constants"),
        ("\"state_bits\":24", "\"state_bits\":40", "state_bits"),
        ("\"state_bits\":24", "\"operand_bits\":3,\"state_bits\":24", "operand_bits"),
    ] {
        let message = forge(&path, from, to);
        assert!(message.contains(says) || says == "shift" && message.contains("expected"), "{from} -> {to}: {message}");
    }
}
