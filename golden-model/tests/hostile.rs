//! Files that were made to break the reader, and valid files broken at random: one error, never a panic, never a
//! result with numbers that are not finite.
mod files;

use std::sync::OnceLock;

use files::*;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, CheckpointError};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::CompressionMethod;

fn load(bytes: &[u8]) -> Result<Weights, CheckpointError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Weights::load(file.path())
}

/// The error's text after the path: one line.
fn refusal(bytes: &[u8]) -> String {
    let text = load(bytes).map(|w| format!("accepted as {:?}", w.shape)).unwrap_err().to_string();
    assert!(!text.contains('\n') && text.len() < 1000, "{text}");
    text.split_once(": ").unwrap().1.to_owned()
}

fn refused_pickle(p: Pickle) -> String {
    refusal(&torch_zip(&p.0, &[vec![0; 64]]))
}

#[test]
fn a_pickle_that_calls_something_is_not_executed() {
    let p = Pickle::new().global("os", "system").str("touch /tmp/owned").op(b"\x85R.");
    let text = "data.pkl, byte 2: names the Python object os.system, which can run code and which no checkpoint needs; nothing was executed";
    assert_eq!(refused_pickle(p), text);
    let p = Pickle::new().str("builtins").str("eval").op(b"\x93.");
    assert!(refused_pickle(p).contains("names the Python object builtins.eval, which"));
    let p = Pickle::new().global("os", "\x1b[31msystem");
    assert!(refused_pickle(p).contains(r"os.\u{1b}[31msystem"));
    let p = Pickle::new().global("collections", "OrderedDict").str("a").op(b"\x85R.");
    assert!(refused_pickle(p).contains("calls OrderedDict with 1 arguments"));
}

#[test]
fn a_pickle_without_end_or_sense_is_one_error() {
    let text = |p: Pickle| refused_pickle(p);
    assert!(text(Pickle(Vec::new())).ends_with("byte 0: the pickle ends too early: 1 more bytes expected, 0 left"));
    assert!(text(Pickle::new()).ends_with("byte 2: the pickle ends too early: 1 more bytes expected, 0 left"));
    assert!(text(Pickle(b"}N".repeat(3_000_000))).contains("more than 1048576 operations"));
    // a million tuples in one another, a dict and a list that hold themselves
    assert!(text(Pickle::new().op(b"N").op(&b"\x85".repeat(1_000_000)).op(b"."))
        .contains("the pickle is not a dict of tensors"));
    assert!(text(Pickle::new().op(b"(".repeat(1_000_000).as_slice()).op(b".")).contains("finds nothing on the stack"));
    assert!(
        text(Pickle::new().op(b"}q\0").str("a").op(b"h\0s.")).contains("one without tensors and with the first key a")
    );
    assert!(text(Pickle::new().op(b"]q\0h\0a.")).contains("not a dict"));
    assert!(text(Pickle::new().op(b"h\x07.")).contains("memo 7, which nothing has filled"));
    assert!(text(Pickle::new().op(b"X\xff\xff\xff\xffabc")).contains("4294967295 more bytes expected"));
    assert!(text(Pickle::new().op(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff")).contains("more bytes expected"));
    assert!(text(Pickle::new().op(b"cabc")).contains("a name without an end"));
    assert!(text(Pickle::new().op(b"\x8a\xff")).contains("the pickle ends too early"));
    assert!(text(Pickle::new().op(b"}(N")).contains("ends too early"));
    assert!(text(Pickle::new().op(b"}(Nu.")).contains("a key that has no value"));
    assert!(text(Pickle::new().op(b"\xfe")).contains("opcode 0xfe is none that a state dict needs"));
    assert!(text(Pickle::new().op(b"}.")).contains("one without tensors and with no keys"));
    assert!(text(Pickle::new().op(b"}").str("weights").op(b"}s.")).contains("the first key weights"));
    assert!(text(Pickle::new().op(b"NQ.")).contains("a persistent id that is not"));
    assert!(text(Pickle::new().op(b"}q\0").str("model").op(b"h\0s.")).contains("too deep"));
    assert!(text(Pickle::new().op(b"\x8c\x01a\x90.")).contains("finds no mark"));
    assert!(text(Pickle::new().op(b"(\x90.")).contains("finds no set or object"));
    assert!(text(Pickle::new().op(b"NN\x81.")).contains("NEWOBJ without a class"));
}

/// A state dict whose only tensor is `emb.weight`, over a storage of 16 numbers.
fn one_tensor(len: i64, offset: i64, shape: &[usize], strides: &[usize]) -> String {
    refused_pickle(
        Pickle::new().op(b"}").str("emb.weight").tensor("FloatStorage", "0", len, offset, shape, strides).op(b"s."),
    )
}

#[test]
fn tensors_that_reach_outside_their_storage_or_are_absurd() {
    assert!(one_tensor(16, 0, &[4, 4], &[4, 1]).contains("blocks.0.att.r_k is missing"), "a good one");
    assert_eq!(
        one_tensor(17, 0, &[4, 4], &[4, 1]),
        "tensor emb.weight: its storage should hold 17 numbers of F32, the file has 64 bytes"
    );
    assert!(one_tensor(i64::MAX, 0, &[4, 4], &[4, 1]).contains("its storage should hold 9223372036854775807 numbers"));
    assert!(one_tensor(-1, 0, &[4, 4], &[4, 1]).contains("a storage of length -1"));
    assert_eq!(one_tensor(16, 17, &[4, 4], &[4, 1]), "tensor emb.weight: starts at number 17 of a storage of 16");
    assert!(one_tensor(16, i64::MAX, &[4, 4], &[4, 1]).contains("starts at number 9223372036854775807"));
    assert!(one_tensor(16, -1, &[4, 4], &[4, 1]).contains("a tensor with offset -1"));
    assert!(one_tensor(16, 1, &[4, 4], &[4, 1]).contains("shape (4, 4) needs 64 bytes at"));
    assert!(one_tensor(16, 0, &[4, 4], &[5, 1]).contains("shape (4, 4) needs 76 bytes at"));
    assert_eq!(
        one_tensor(16, 0, &[1 << 40, 4], &[0, 1]),
        "tensor emb.weight: shape (1099511627776, 4) with strides (0, 1) uses numbers twice"
    );
    assert!(one_tensor(16, 0, &[1 << 62, 4], &[4, 1]).contains("is absurd"));
    assert!(one_tensor(16, 0, &[4, 4], &[1 << 62, 1]).contains("is absurd"));
    assert!(one_tensor(16, 0, &[0, 4], &[4, 1]).contains("expected no empty axis"));
    assert!(one_tensor(16, 0, &[4, 4], &[1]).contains("has 2 sizes but 1 strides"));
    assert!(one_tensor(16, 0, &[1; 9], &[1; 9]).contains("a tensor with 9 axes"));
    let p = Pickle::new().op(b"}").str("emb.weight").tensor("FloatStorage", "1", 16, 0, &[4, 4], &[4, 1]).op(b"s.");
    assert_eq!(refused_pickle(p), "tensor emb.weight: its storage rwkv/data/1 is missing");
    let p = Pickle::new().op(b"}").str(&"x".repeat(300)).tensor("FloatStorage", "0", 16, 0, &[4], &[1]).op(b"s.");
    assert!(refused_pickle(p).contains("a tensor's name has 300 bytes"));
}

#[test]
fn tensors_that_share_bytes_cannot_make_a_small_file_large() {
    let shape = tiny_shape();
    let mut p = Pickle::new().op(b"}(");
    let mut total = 0;
    for t in shape.tensors() {
        let n: usize = t.shape.iter().product();
        let strides = if t.shape.len() == 2 { vec![t.shape[1], 1] } else { vec![1] };
        p = p.str(&t.name).tensor("FloatStorage", "0", 100, 0, &t.shape, &strides);
        total += n;
    }
    assert!(total > 200);
    let text = refusal(&torch_zip(&p.op(b"u.").0, &[vec![0; 400]]));
    assert!(text.contains("expected each to have its own bytes"), "{text}");
}

#[test]
fn archives_that_torch_did_not_write() {
    let pickle = Pickle::new().op(b"}.").0;
    let options = |method| SimpleFileOptions::default().compression_method(method);
    let zip = |names: &[&str], method| {
        let members: Vec<_> = names.iter().map(|n| (n.to_string(), pickle.clone())).collect();
        refusal(&zip_of(&members, options(method)))
    };
    let prefix = "damaged or unsupported torch zip file: ";
    assert_eq!(
        zip(&["readme"], CompressionMethod::Stored),
        format!("{prefix}holds no data.pkl, expected what torch.save writes")
    );
    assert_eq!(
        zip(&["data.pkl", "a/data.pkl"], CompressionMethod::Stored),
        format!("{prefix}holds more than one data.pkl")
    );
    let text =
        format!("{prefix}member rwkv/data.pkl is compressed or encrypted, expected it stored as torch.save does");
    assert_eq!(zip(&["data.pkl"], CompressionMethod::Deflated), text);
    let members = [("data.pkl".into(), pickle.clone()), ("byteorder".into(), b"big".to_vec())];
    let text = refusal(&zip_of(&members, options(CompressionMethod::Stored)));
    assert_eq!(text, format!("{prefix}numbers are stored big-endian, expected little-endian"));
    assert_eq!(
        refusal(b"PK\x03\x04"),
        format!("{prefix}the archive's directory is missing, as in a file that was cut short")
    );
}

fn valid_files() -> Vec<Vec<u8>> {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(write_valid_files).clone()
}

fn write_valid_files() -> Vec<Vec<u8>> {
    let shape = tiny_shape();
    let tensors = network(&shape);
    let styles = [
        PthStyle::default(),
        PthStyle { unit_axes: true, transposed: true, one_storage: true, module: true, wide: true },
    ];
    vec![
        gguf(&tensors, &shape, Num::F16),
        safetensors(&tensors, Num::F16),
        ggmf(&tensors, &shape, Num::F16),
        ggmf(&tensors, &shape, Num::F32),
        pth(&tensors, Num::Bf16, styles[0]),
        pth(&tensors, Num::F32, styles[1]),
    ]
}

/// Any bytes: either an error in one line or a network of finite numbers.
fn assert_sane(bytes: &[u8]) {
    match load(bytes) {
        Ok(w) => assert!(w.emb.iter().chain(w.head.iter()).all(|v| v.is_finite())),
        Err(e) => assert!(!e.to_string().contains('\n') && e.to_string().len() < 2000, "{e}"),
    }
}

/// A byte that is likely to matter.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0u8), Just(1), Just(0x7f), Just(0x80), Just(0xff), any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn truncated_files(cut in 0.0f64..1.0) {
        for file in valid_files() {
            let end = (file.len() as f64 * cut) as usize;
            prop_assert!(load(&file[..end]).is_err(), "cut at {}", end);
        }
    }

    #[test]
    fn files_with_changed_bytes(changes in prop::collection::vec((0.0f64..1.0, byte()), 1..6)) {
        for mut file in valid_files() {
            for &(at, byte) in &changes {
                let at = (file.len() as f64 * at) as usize;
                file[at] = byte;
            }
            assert_sane(&file);
        }
    }

    /// The directory of an archive and the head of the other formats are where one byte does most.
    #[test]
    fn files_with_changed_ends(changes in prop::collection::vec((0usize..120, byte()), 1..4), head in any::<bool>()) {
        for mut file in valid_files() {
            for &(at, byte) in &changes {
                let at = if head { at } else { file.len() - 1 - at };
                file[at] = byte;
            }
            assert_sane(&file);
        }
    }

    #[test]
    fn files_with_a_piece_cut_out_or_doubled(from in 0.0f64..1.0, length in 1usize..200, double in any::<bool>()) {
        for file in valid_files() {
            let from = (file.len() as f64 * from) as usize;
            let to = (from + length).min(file.len());
            let resume = if double { from } else { to };
            assert_sane(&[&file[..if double { to } else { from }], &file[resume..]].concat());
        }
    }

    #[test]
    fn noise_after_the_first_bytes(noise in prop::collection::vec(byte(), 0..300)) {
        for magic in [&b"PK\x03\x04"[..], b"fmgg\x65\0\0\0", b"\x20\0\0\0\0\0\0\0{\"", b"PK\x05\x06", b"GGUF\x03\0\0\0", b""] {
            assert_sane(&[magic, &noise].concat());
        }
    }

    /// Files with blocks, broken where their head is.
    #[test]
    fn block_files_with_changed_heads(changes in prop::collection::vec((0usize..4000, byte()), 1..4), cut in 0usize..3) {
        for name in ["blocks.gguf", "blocks.bin"] {
            let mut file = std::fs::read(form(name)).unwrap();
            for &(at, byte) in &changes {
                file[at] = byte;
            }
            file.truncate(file.len() - cut * 1000);
            assert_sane(&file);
        }
    }

    /// What lies beside the weights of a Hugging Face folder.
    #[test]
    fn broken_index_and_config(changes in prop::collection::vec((0.0f64..1.0, byte()), 1..6), index in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let broken = if index { "model.safetensors.index.json" } else { "config.json" };
        for entry in std::fs::read_dir(form("hugging-face")).unwrap() {
            let entry = entry.unwrap();
            let mut bytes = std::fs::read(entry.path()).unwrap();
            if entry.file_name() == broken {
                for &(at, byte) in &changes {
                    let at = (bytes.len() as f64 * at) as usize;
                    bytes[at] = byte;
                }
            }
            std::fs::write(dir.path().join(entry.file_name()), bytes).unwrap();
        }
        if let Err(e) = Weights::load(dir.path()) {
            prop_assert!(!e.to_string().contains('\n') && e.to_string().len() < 2000, "{}", e);
        }
    }

    /// Opcodes in any order.
    #[test]
    fn pickles_of_random_opcodes(ops in prop::collection::vec(prop::sample::select(pieces()), 0..60)) {
        assert_sane(&torch_zip(&Pickle::new().op(&ops.concat()).op(b".").0, &[vec![0; 64]]));
    }
}

/// What a state dict is made of, and the opcodes that move it about.
fn pieces() -> Vec<Vec<u8>> {
    let plain = |ops: &[&[u8]]| ops.iter().map(|o| o.to_vec()).collect::<Vec<_>>();
    let mut out = plain(&[
        b"(", b"0", b"N", b"}", b"]", b")", b"t", b"s", b"u", b"a", b"e", b"b", b"R", b"Q", b"\x85", b"\x86", b"\x87",
        b"\x88", b"1", b"2", b"\x8f", b"\x90", b"\x91", b"\x81", b"\x92", b"C\x01a",
    ]);
    out.extend(plain(&[
        b"q\0",
        b"q\x01",
        b"h\0",
        b"h\x01",
        b"\x94",
        b"\x93",
        b"K\x04",
        b"J\xff\xff\xff\xff",
        b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    ]));
    out.push(Pickle::default().str("emb.weight").0);
    out.push(Pickle::default().str("storage").0);
    out.push(Pickle::default().global("torch", "FloatStorage").0);
    out.push(Pickle::default().global("torch", "LongStorage").0);
    out.push(Pickle::default().global("torch._utils", "_rebuild_tensor_v2").0);
    out.push(Pickle::default().global("torch._utils", "_rebuild_parameter").0);
    out.push(Pickle::default().global("collections", "OrderedDict").0);
    out.push(Pickle::default().global("torch._tensor", "_rebuild_from_type_v2").0);
    out.push(Pickle::default().global("argparse", "Namespace").0);
    out.push(Pickle::default().str("model").0);
    out.push(Pickle::default().storage("FloatStorage", "0", 16).0);
    out.push(Pickle::default().tensor("FloatStorage", "0", 16, 0, &[4, 4], &[4, 1]).0);
    out
}

/// Work that grows with the square of a name's length, or an index that leads elsewhere, would hang or read what it should not.
#[test]
fn names_and_indices_made_to_hang() {
    let long = format!(r#"{{"{}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#, "model.".repeat(1_000_000));
    assert!(refusal(&safetensors_raw(&long, 4)).starts_with("tensor emb.weight is missing"));
    let dir = tempfile::tempdir().unwrap();
    let index = dir.path().join("model.safetensors.index.json");
    for (file, text) in [
        ("../a.safetensors", "names the file ../a.safetensors, expected one beside it"),
        ("/dev/zero", "names the file /dev/zero, expected one beside it"),
        ("..", "names the file .., expected one beside it"),
        (".", "names the file ., expected one beside it"),
        ("gone.safetensors", "cannot be read: No such file"),
        ("folder", "is no regular file"),
    ] {
        std::fs::create_dir_all(dir.path().join("folder")).unwrap();
        std::fs::write(&index, format!(r#"{{"weight_map": {{"emb.weight": "{file}"}}}}"#)).unwrap();
        let error = Weights::load(dir.path()).unwrap_err().to_string();
        assert!(error.contains(text), "{file}: {error}");
    }
    let shard = dir.path().join("part.safetensors");
    std::fs::write(&shard, safetensors(&network(&tiny_shape()), Num::F16)).unwrap();
    std::fs::write(&index, r#"{"weight_map": {"emb.weight": "part.safetensors", "odd": "part.safetensors"}}"#).unwrap();
    let error = Weights::load(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("tensor odd is missing; the index of the checkpoint lists it"), "{error}");
}

#[test]
fn a_path_error_names_the_path() {
    let e = Checkpoint::open("no/such/file.pth").unwrap_err();
    assert_eq!(e.path, std::path::Path::new("no/such/file.pth"));
}

/// A reader that tries every signature would be at this for hours.
#[test]
fn archives_full_of_signatures() {
    for signature in [
        &b"PK\x05\x06"[..],
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0",
        b"PK\x06\x06PK\x06\x07PK\x05\x06\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0",
    ] {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.extend(signature.repeat((32 << 20) / signature.len()));
        assert!(refusal(&bytes).starts_with("damaged or unsupported torch zip file: "));
    }
}
