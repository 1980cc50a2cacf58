//! The tokenizers: the World list against encodings found by its definition, and round trips.

use std::path::Path;

use golden_model::text::tokenizer::{TextStream, Tokenizer, TokenizerError};
use proptest::prelude::*;

#[derive(serde::Deserialize)]
struct Vector {
    bytes_hex: String,
    ids: Vec<u32>,
}

fn check_vectors(json: &str, at_least: usize) {
    let vectors: Vec<Vector> = serde_json::from_str(json).unwrap();
    assert!(vectors.len() >= at_least);
    let world = Tokenizer::for_vocab(65_536);
    for v in vectors {
        let bytes: Vec<u8> = (0..v.bytes_hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&v.bytes_hex[i..i + 2], 16).unwrap())
            .collect();
        assert_eq!(world.encode(&bytes).unwrap(), v.ids, "{}", String::from_utf8_lossy(&bytes));
        assert_eq!(world.decode(&v.ids), bytes);
    }
}

/// Encodings that `scripts/fixture_tokenizer.py` found by looking up the longest entry at each position.
#[test]
fn world_encodings() {
    check_vectors(include_str!("fixtures/world_encodings.json"), 88);
}

#[test]
#[ignore = "needs published encodings in ANSER_TEST_DATA (CONTRIBUTING.md)"]
fn published_world_encodings() {
    let folder = std::env::var_os("ANSER_TEST_DATA").expect("ANSER_TEST_DATA names the folder, see CONTRIBUTING.md");
    let path = Path::new(&folder).join("data/tokenizer/world_tok_vectors.json");
    check_vectors(&std::fs::read_to_string(path).unwrap(), 206);
}

#[test]
fn every_listed_token_decodes_to_itself() {
    let world = Tokenizer::for_vocab(65_536);
    let listed = (1..65_530u32).filter(|&id| world.encode(world.decode(&[id])).unwrap() == [id]).count();
    // the longest match of a token's own bytes is that token
    assert_eq!(listed, 65_529);
    assert_eq!(world.decode(&[0]), b"");
    assert_eq!(world.decode(&[65_530, 65_535, u32::MAX]), "\u{fffd}\u{fffd}\u{fffd}".as_bytes());
}

#[test]
fn numbers_where_there_is_no_tokenizer() {
    let numbers = Tokenizer::for_vocab(1000);
    assert!(!numbers.is_text());
    assert_eq!(numbers.encode("1, 2,3\n999").unwrap(), [1, 2, 3, 999]);
    assert_eq!(numbers.decode(&[1, 2, 999]), b"1 2 999 ");
    for bad in ["1000", "-1", "hello", "1;2", "99999999999999999999"] {
        assert_eq!(numbers.encode(bad), Err(TokenizerError::NotANumber { word: bad.into(), vocab_size: 1000 }));
    }
}

#[test]
fn a_character_split_over_tokens_comes_out_whole() {
    let mut stream = TextStream::default();
    let pieces: Vec<String> = "aé漢😀".bytes().map(|b| stream.push(&[b])).collect();
    assert_eq!(pieces, ["a", "", "é", "", "", "漢", "", "", "", "😀"]);
    assert_eq!(stream.push(b"x\xff\xe6"), "x\u{fffd}");
    assert_eq!(stream.push(b"y"), "\u{fffd}y");
    assert_eq!(stream.push(b"\xe6\xbc"), "");
    assert_eq!(stream.finish(), "\u{fffd}");
    assert_eq!(stream.finish(), "");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for vocab in [256, 65_536] {
            let tokenizer = Tokenizer::for_vocab(vocab);
            let ids = tokenizer.encode(&bytes).unwrap();
            prop_assert!(ids.iter().all(|&id| (id as usize) < vocab));
            prop_assert_eq!(tokenizer.decode(&ids), bytes.clone());
        }
    }

    /// In any cut, the stream gives what a whole conversion gives.
    #[test]
    fn streaming_equals_decoding_at_once(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x20u8..0x7f, 0xc0u8..], 0..60), cut in 1usize..7) {
        let mut stream = TextStream::default();
        let mut text: String = bytes.chunks(cut).map(|piece| stream.push(piece)).collect();
        text.push_str(&stream.finish());
        prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
    }
}
