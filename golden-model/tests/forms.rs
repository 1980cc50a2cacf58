//! Checkpoints of every form against the logits of other programs, and files that are something else.
mod files;

use files::*;
use golden_model::arithmetic::norm::Eps;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Dtype, Format, Spelling, TensorView};
use golden_model::image::{write, Image};
use golden_model::network::float_step::{no_tap, step, FloatState};
use golden_model::quantise::calibrate::calibrate;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise;
use golden_model::text::tokenizer::Tokenizer;
use std::collections::BTreeMap;
use std::path::Path;

/// Tensors of a `.safetensors` file in f32 or bytes.
fn numbers(name: &str) -> BTreeMap<String, Vec<f32>> {
    let bytes = std::fs::read(form(name)).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = |data: &[u8]| data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    let floats = file.tensors().into_iter().filter(|(_, t)| t.dtype() == safetensors::Dtype::F32);
    floats.map(|(name, t)| (name, values(t.data()))).collect()
}

/// Logits of every 16th token are kept.
const SHOWN: usize = 16;

/// The largest difference between the float step's logits and those of another program.
fn distance(weights: &Weights, tokens: &[f32], expected: &[f32]) -> f32 {
    let mut state = FloatState::new(&weights.shape);
    let mut rows = expected.chunks_exact(weights.shape.vocab_size);
    let mut worst = 0f32;
    for (i, token) in tokens.iter().enumerate() {
        let logits = step(weights, *token as u32, &mut state, &mut no_tap);
        if i % SHOWN == SHOWN - 1 {
            let row = rows.next().unwrap();
            worst = logits.iter().zip(row).map(|(a, b)| (a - b).abs()).fold(worst, f32::max);
        }
    }
    assert!(rows.next().is_none() && tokens.len() == 160);
    worst
}

#[test]
fn every_form_gives_the_logits_of_other_programs() {
    let expected = numbers("expected.safetensors");
    for (path, case, format, spelling) in [
        ("trainer.pth", "trainer", Format::Pth, Spelling::Official),
        ("hugging-face", "hugging-face", Format::Safetensors, Spelling::HuggingFace),
        ("hugging-face/model.safetensors.index.json", "hugging-face", Format::Safetensors, Spelling::HuggingFace),
        ("blocks.gguf", "blocks.gguf", Format::Gguf, Spelling::Gguf),
        ("blocks.bin", "blocks.bin", Format::Ggmf, Spelling::Official),
    ] {
        let checkpoint = Checkpoint::open(form(path)).unwrap();
        assert_eq!((checkpoint.format(), checkpoint.spelling()), (format, spelling), "{path}");
        let weights = Weights::read(&checkpoint).unwrap();
        let worst = distance(&weights, &expected[&format!("{case}.tokens")], &expected[case]);
        println!("{path}: {worst:e}");
        assert!(worst <= 1e-4, "{path}: logits differ by {worst}");
    }
}

#[test]
fn blocks_are_decoded_as_ggml_does() {
    let bytes = std::fs::read(form("ggml-blocks.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = numbers("ggml-blocks.safetensors");
    for (name, dtype) in [
        ("Q4_0", Dtype::Q4_0),
        ("Q4_1", Dtype::Q4_1),
        ("Q5_0", Dtype::Q5_0),
        ("Q5_1", Dtype::Q5_1),
        ("Q8_0", Dtype::Q8_0),
        ("Q4_K", Dtype::Q4K),
        ("Q5_K", Dtype::Q5K),
        ("Q6_K", Dtype::Q6K),
    ] {
        let blocks = file.tensor(name).unwrap();
        let view = TensorView { name, dtype, shape: &[4, 256], strides: &[256, 1], bytes: blocks.data() };
        let expected = &values[&format!("{name}.values")];
        assert_eq!(&view.to_f32(), expected, "{name}");
        // turned round, as a low-rank matrix may be
        let turned = TensorView { shape: &[256, 4], strides: &[1, 256], ..view };
        let transposed: Vec<f32> = (0..1024).map(|i| expected[i % 4 * 256 + i / 4]).collect();
        assert_eq!(turned.to_f32(), transposed, "{name}");
    }
}

/// The group norm's epsilon of a Hugging Face network goes into the integers, the image and what is read from the image.
#[test]
fn epsilon_reaches_integers_and_image() {
    let official = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/small.safetensors");
    let tokens: Vec<u32> = (0..64).map(|i| i * 7 % 19).collect();
    let made = |path: &Path| {
        let checkpoint = Checkpoint::open(path).unwrap();
        let weights = Weights::read(&checkpoint).unwrap();
        let ranges = calibrate(&weights, &tokens, |_| {});
        (checkpoint.eps(), weights, quantise(&checkpoint, &ranges, &QuantOptions::default()).unwrap().model)
    };
    let (eps, weights, mut model) = made(&form("hugging-face"));
    assert_eq!(eps, Eps { ln: 1e-5, ln_x: 8.0 * 1e-5 });
    let (other_eps, _, other) = made(&official);
    assert_eq!(other_eps, Eps::default());
    let [eps_int, other_eps_int] = [&model, &other].map(|m| m.layers[0].f.ln_x.eps_int() as f64);
    assert!((other_eps_int / eps_int - 8.0).abs() < 1e-3, "{eps_int} {other_eps_int}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.anser");
    write(&model, &path).unwrap();
    let image = Image::open(&path).unwrap();
    assert_eq!((image.formats().0.eps, &image.model().unwrap()), (eps, &model));

    // the logits of another program tell the two epsilons apart
    let expected = numbers("expected.safetensors");
    let wrong = Weights { eps: Eps::default(), ..weights };
    assert!(distance(&wrong, &expected["hugging-face.tokens"], &expected["hugging-face"]) > 1e-4);
    model.f.eps = Eps::default();
    assert!(model.check().unwrap_err().to_string().starts_with("constants of layer 0: att.ln_x is "));
}

#[test]
fn a_tokenizer_comes_with_gguf() {
    let checkpoint = Checkpoint::open(form("blocks.gguf")).unwrap();
    let tokenizer = Tokenizer::of(&checkpoint);
    assert_eq!((tokenizer.name(), tokenizer.is_text(), tokenizer.is_of_size()), ("tokens of the file", true, false));
    let tokens = tokenizer.encode("a the é\\n'\"thx").unwrap();
    assert_eq!(tokens, [98, 257, 33, 260, 261, 259, 121]);
    assert_eq!(tokenizer.decode(&tokens), "a the é\\n'\"thx".as_bytes());
    assert_eq!(tokenizer.decode(&[0, 263, 98]), "\u{fffd}a".as_bytes(), "end of text, padding");
    // an image does not carry the list: its tokens are numbers
    assert_eq!(Tokenizer::of_image(256, true).name(), "numbers");
}

/// Opens `bytes` as a file called `name` and gives the text of the error after the path.
fn refused(name: &str, bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let text = Checkpoint::open(&path).map(|c| format!("opened as {:?}", c.shape())).unwrap_err().to_string();
    let text = text.split_once(": ").unwrap().1.to_owned();
    text.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn files_that_are_something_else_say_what_to_do() {
    let plain = std::fs::read(form("plain.bin")).unwrap();
    let tar = [&[b'a'; 257][..], b"ustar\0", &[0; 300]].concat();
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let script = zip_of(&[("code/model.py".into(), b"def f(): pass".to_vec()), ("data.pkl".into(), vec![])], stored);
    for (bytes, text) in [
        (
            &b"version https://git-lfs.example/spec/v1\noid sha256:00\nsize 12\n"[..],
            "is a Git LFS pointer, not the file it stands for; fetch that with `git lfs pull`, or download the file itself",
        ),
        (b"\n<!DOCTYPE html><html>", "is a web page, not the file; download the file itself, not the page that shows it"),
        (b"<HTML><head>", "is a web page, not the file; download the file itself, not the page that shows it"),
        (b"\x1f\x8b\x08\0\0", "is compressed with gzip; unpack it and open what is inside"),
        (b"\x28\xb5\x2f\xfd\0", "is compressed with zstd; unpack it and open what is inside"),
        (b"7z\xbc\xaf\x27\x1c", "is compressed with 7-Zip; unpack it and open what is inside"),
        (&tar, "is a tar archive; unpack it and open what is inside"),
        (&plain, "is a torch file of before version 1.6; load it with torch and save it again with torch.save"),
        (
            b"\x80\x04\x95\0\0\0\0\0\0\0\0}.",
            "is a bare Python pickle; pickles are never executed here: load it where it was made and save its tensors with torch.save",
        ),
        (b"{\"a\": 1}", "is JSON text; open the folder that it lies in, or the file with the weights"),
        (b"\x93NUMPY\x01\0", "is a NumPy array; expected a whole network"),
        (b"ANSER\r\n\x1a", "is an .anser image; this needs the checkpoint that it was made from"),
        (&script, "is a TorchScript archive, which holds a program; save the state dict of the module with torch.save"),
    ] {
        assert_eq!(refused("model.pth", bytes), text);
    }
    let shard = std::fs::read(form("hugging-face/model-00001-of-00002.safetensors")).unwrap();
    assert_eq!(
        refused("model-00001-of-00002.safetensors", &shard),
        "is one of the 2 parts of a checkpoint; open the folder DIR"
    );
    assert_eq!(
        refused("a.safetensors", &shard),
        "is missing; the tensors have Hugging Face's names, and the epsilon of such a network stands in config.json beside them"
    );
    let state = Tensor { name: "blocks.0.att.time_state".into(), shape: vec![2, 3, 3], values: vec![0.0; 18] };
    assert!(refused("state.pth", &pth(&[state], Num::F32, PthStyle::default()))
        .starts_with("tensor blocks.0.att.time_state is an initial state from state tuning, not a weight"));
}

#[test]
fn gguf_of_another_kind_or_damaged() {
    let shape = tiny_shape();
    let tensors = gguf_tensors(&network(&shape));
    let good = gguf_keys(&shape);
    let open = |keys: &[Vec<u8>]| refused("a.gguf", &gguf_of(keys, &tensors, Num::F32));
    let with = |key: Vec<u8>| open(&[good.clone(), vec![key]].concat());
    let u32_key = |name: &str, n: u32| gguf_key(name, 4, &n.to_le_bytes());
    let text_key = |name: &str, text: &str| gguf_key(name, 8, &gguf_text(text));
    let llama = text_key("general.architecture", "llama");
    assert_eq!(open(&[llama]), "is a GGUF file of architecture \"llama\"; expected rwkv7");
    let hybrid = text_key("general.architecture", "arwkv7");
    assert!(open(&[hybrid]).ends_with("that is a hybrid of RWKV-7 with another network; expected rwkv7"));
    let parts = gguf_key("split.count", 2, &3u16.to_le_bytes());
    assert!(with(parts).starts_with("is one of the 3 parts of a GGUF file; join them"));
    assert_eq!(with(u32_key("rwkv7.token_shift_count", 1)), "says rwkv7.token_shift_count 1, expected 2");
    assert_eq!(
        with(u32_key("rwkv7.block_count", 3)),
        "says rwkv7.block_count 3, expected 2, which is what the tensors show"
    );
    let eps = |eps: f32| gguf_key("rwkv7.attention.layer_norm_epsilon", 6, &eps.to_le_bytes());
    assert!(with(eps(f32::NAN)).starts_with("says rwkv7.attention.layer_norm_epsilon NaN, expected a number above 0"));
    assert!(open(&good[..3]).contains("the key rwkv7.attention.layer_norm_epsilon is missing"));
    assert!(with(u32_key("general.alignment", 3)).contains("general.alignment is not a power of two"));
    assert!(with(gguf_key("odd", 77, &[])).contains("a value of type 77"));
    let nested = gguf_key("odd", 9, &[9u32.to_le_bytes().to_vec(), 1u64.to_le_bytes().to_vec()].concat().repeat(9));
    assert!(with(nested).contains("arrays in one another"));
    let endless = gguf_key("odd", 9, &[8u32.to_le_bytes().to_vec(), u64::MAX.to_le_bytes().to_vec()].concat());
    assert!(with(endless).contains("more bytes expected"));
    assert!(
        refused("a.gguf", b"GGUF\x03\0\0\0\0").contains("damaged or unsupported GGUF file: the file ends at byte 9")
    );
    assert!(refused("a.gguf", b"GGUF\0\0\0\x03").contains("version 3 in big-endian order"));
    let mut short = tensors.clone();
    short.retain(|t| t.name != "blk.1.time_mix_w2.weight");
    assert_eq!(
        refused("a.gguf", &gguf_of(&good, &short, Num::F32)),
        "tensor blocks.1.att.w2 is missing; it is called blk.1.time_mix_w2.weight in such a file; expected (rank_w, n_embd) = (1, 6)"
    );
    let mut extra = tensors.clone();
    extra.push(Tensor { name: "blk.0.attn_q.weight".into(), shape: vec![6, 6], values: vec![0.0; 36] });
    assert!(
        refused("a.gguf", &gguf_of(&good, &extra, Num::F32)).contains("tensor blk.0.attn_q.weight is none of RWKV-7's")
    );
    // another tokenizer than RWKV's is not guessed from the size of the vocabulary
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gguf");
    let keys = [good.clone(), vec![text_key("tokenizer.ggml.model", "gpt2")]].concat();
    std::fs::write(&path, gguf_of(&keys, &tensors, Num::Bf16)).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(Tokenizer::of(&checkpoint).name(), "numbers");
    for t in network(&shape) {
        assert_eq!(checkpoint.read(&t.name).unwrap(), t.values, "{}", t.name);
    }
}

/// The tensors under Hugging Face's names; `fused` as the first version of `flash-linear-attention` had the mixes.
fn hugging_face(tensors: &[Tensor], fused: bool) -> Vec<Tensor> {
    let mut out: Vec<Tensor> = Vec::new();
    for t in tensors {
        let (mut values, mut shape) = (t.values.clone(), t.shape.clone());
        let mut name = t.name.replace("blocks.", "model.layers.").replace(".att.", ".attn.");
        let leaf = name.rsplit_once("attn.").map_or(String::new(), |(_, leaf)| leaf.to_owned());
        if let (true, Some(block)) = (fused, name.strip_suffix(leaf.as_str()).filter(|_| leaf.starts_with("x_"))) {
            let fused = format!("{block}x_x");
            match out.iter_mut().find(|t| t.name == fused) {
                Some(t) => t.values.extend(&values),
                None => out.push(Tensor { name: fused, shape: vec![6, 1, 1, values.len()], values }),
            }
            continue;
        }
        let number = leaf.strip_prefix(['w', 'a', 'v', 'g']).filter(|n| ["0", "1", "2"].contains(n));
        if let Some(number) = number {
            if let [rows, columns] = t.shape[..] {
                values = (0..rows * columns).map(|i| t.values[i % rows * columns + i / rows]).collect();
                shape = vec![columns, rows];
            }
            let part = ["2.bias", "0.weight", "2.weight"][number.parse::<usize>().unwrap()];
            name = name.replace(&format!("attn.{leaf}"), &format!("attn.{}_lora.lora.{part}", &leaf[..1]));
        }
        for (ours, theirs) in [
            ("emb.weight", "model.embeddings.weight"),
            ("head.weight", "lm_head.weight"),
            ("ln_out.", "model.norm."),
            (".ln0.", ".pre_norm."),
            (".ln1.", ".attn_norm."),
            (".ln2.", ".ffn_norm."),
            (".ln_x.", ".g_norm."),
            (".attn.receptance.", ".attn.r_proj."),
            (".attn.key.", ".attn.k_proj."),
            (".attn.value.", ".attn.v_proj."),
            (".attn.output.", ".attn.o_proj."),
        ] {
            name = name.replace(ours, theirs);
        }
        out.push(Tensor { name, shape, values });
    }
    out
}

/// Opens a folder with these weights and this `config.json`.
fn open_folder(weights: &str, bytes: &[u8], config: Option<&str>) -> Result<Checkpoint, String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(weights), bytes).unwrap();
    if let Some(config) = config {
        std::fs::write(dir.path().join("config.json"), config).unwrap();
    }
    Checkpoint::open(dir.path()).map_err(|e| e.to_string().replace(&dir.path().display().to_string(), "DIR"))
}

#[test]
fn hugging_face_folders() {
    let tensors = network(&tiny_shape());
    let config =
        r#"{"model_type": "rwkv7", "head_dim": 3, "norm_eps": 2e-5, "num_hidden_layers": 2, "norm_bias": true}"#;
    for fused in [false, true] {
        let theirs = hugging_face(&tensors, fused);
        for (name, bytes) in [
            ("model.safetensors", safetensors(&theirs, Num::Bf16)),
            ("pytorch_model.bin", pth(&theirs, Num::F32, PthStyle::default())),
        ] {
            let checkpoint = open_folder(name, &bytes, Some(config)).unwrap();
            assert_eq!((checkpoint.shape(), checkpoint.eps()), (&tiny_shape(), Eps { ln: 2e-5, ln_x: 3.0 * 2e-5 }));
            for t in &tensors {
                assert_eq!(checkpoint.read(&t.name).unwrap(), t.values, "{name} {}", t.name);
            }
        }
    }
    let theirs = hugging_face(&tensors, false);
    let says =
        |config: &str| open_folder("model.safetensors", &safetensors(&theirs, Num::F32), Some(config)).unwrap_err();
    let of = |rest: &str| says(&format!(r#"{{"model_type": "rwkv7", {rest}}}"#));
    assert_eq!(says(r#"{"model_type": "rwkv6"}"#), "DIR/config.json: says model_type rwkv6, expected rwkv7");
    assert!(of(r#""attn": {"layers": [1]}"#)
        .ends_with("says attn layers with attention, expected null: a hybrid network is not RWKV-7"));
    assert!(of(r#""norm_eps": 0"#).ends_with("says norm_eps 0, expected a number above 0, at most 0.1"));
    assert!(of(r#""norm_bias": false"#).ends_with("says norm_bias false, expected true, as RWKV-7 has it"));
    assert!(
        of(r#""hidden_act": "gelu""#).ends_with("says hidden_act gelu, expected sqrelu, the squared ReLU of RWKV-7")
    );
    assert!(of(r#""head_dim": 64"#).ends_with("says head_dim 64, expected 3, which is what the tensors show"));
    assert!(of(r#""tie_word_embeddings": true"#).contains("tie_word_embeddings true, expected false"));
    assert!(says("{").contains("damaged or unsupported JSON file: EOF"));
    let attention =
        Tensor { name: "model.layers.1.attn.q_proj.weight".into(), shape: vec![6, 6], values: vec![0.0; 36] };
    let hybrid = [&theirs[..], &[attention]].concat();
    let text = open_folder("model.safetensors", &safetensors(&hybrid, Num::F32), Some(config)).unwrap_err();
    assert!(text.contains("model.layers.1.attn.q_proj.weight belongs to another kind of layer"), "{text}");
    let mut short = theirs.clone();
    short.retain(|t| t.name != "model.layers.1.attn.w_lora.lora.2.weight");
    let text = open_folder("model.safetensors", &safetensors(&short, Num::F32), Some(config)).unwrap_err();
    assert!(
        text.contains("blocks.1.att.w2 is missing; it is called layers.1.attn.w_lora.lora.2.weight in such a file"),
        "{text}"
    );
}

#[test]
fn a_head_that_is_missing_is_the_embedding() {
    let mut tensors = network(&tiny_shape());
    tensors.retain(|t| t.name != "head.weight");
    let emb = find(&mut tensors, "emb.weight").values.clone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    std::fs::write(&path, safetensors(&tensors, Num::F16)).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert!(checkpoint.tied_head());
    assert_eq!(checkpoint.read("head.weight").unwrap(), emb);
    assert_eq!(checkpoint.dtypes().into_iter().collect::<Vec<_>>(), [Dtype::F16]);
    let theirs = safetensors(&hugging_face(&tensors, false), Num::F32);
    let config = |tied: bool| format!(r#"{{"model_type": "rwkv7", "tie_word_embeddings": {tied}}}"#);
    assert!(open_folder("model.safetensors", &theirs, Some(&config(true))).unwrap().tied_head());
    let text = open_folder("model.safetensors", &theirs, Some(&config(false))).unwrap_err();
    let missing = "tensor head.weight is missing; it is called lm_head.weight in such a file; expected (vocab_size, n_embd) = (7, 6)";
    assert!(text.ends_with(missing), "{text}");
    // a file of rwkv.cpp has no end mark: without its head, the last tensor, it was cut short
    std::fs::write(&path, ggmf(&tensors, &tiny_shape(), Num::F16)).unwrap();
    assert!(Checkpoint::open(&path).unwrap_err().to_string().contains("tensor head.weight is missing"));
    std::fs::write(&path, safetensors(&network(&tiny_shape()), Num::F16)).unwrap();
    assert!(!Checkpoint::open(&path).unwrap().tied_head());
}

#[test]
fn prefixes_and_wrappers_are_taken_off() {
    let tensors = network(&tiny_shape());
    for prefix in ["module.", "_forward_module.", "_orig_mod.", "model.", "module._orig_mod.model."] {
        let mut named = tensors.clone();
        named.iter_mut().for_each(|t| t.name.insert_str(0, prefix));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, pth(&named, Num::F16, PthStyle::default())).unwrap();
        assert_eq!(Checkpoint::open(&path).unwrap().shape(), &tiny_shape(), "{prefix}");
        // not common to all
        named[0].name = tensors[0].name.clone();
        std::fs::write(&path, safetensors(&named, Num::F16)).unwrap();
        assert!(Checkpoint::open(&path).is_err(), "{prefix}");
    }
}

/// A state dict with one tensor inside wrappers, and something beside it.
fn wrapped(keys: &[&str], beside: &dyn Fn(Pickle) -> Pickle) -> String {
    let mut p = Pickle::new();
    for key in keys {
        p = beside(p.op(b"}")).str(key);
    }
    p = p.op(b"}").str("emb.weight").tensor("FloatStorage", "0", 16, 0, &[4, 4], &[4, 1]).op(b"s");
    p = keys.iter().fold(p, |p, _| p.op(b"s"));
    refused("a.pth", &torch_zip(&p.op(b".").0, &[vec![0; 64]]))
}

#[test]
fn wrappers_are_opened_unless_it_is_unclear_what_is_meant() {
    let nothing = |p: Pickle| p;
    let read = "tensor blocks.0.att.r_k is missing; ";
    for keys in
        [&["state_dict"][..], &["model"], &["module"], &["model", "state_dict"], &["module", "model_state_dict"]]
    {
        assert!(wrapped(keys, &nothing).starts_with(read), "{keys:?}");
    }
    assert!(wrapped(&["weights"], &nothing).contains("found one without tensors and with the first key weights"));
    let tensor = |key: &'static str| {
        move |p: Pickle| p.str(key).op(b"]").tensor("FloatStorage", "0", 16, 0, &[4, 4], &[4, 1]).op(b"as")
    };
    assert!(wrapped(&["model"], &tensor("optimizer")).starts_with(read));
    assert!(wrapped(&["model"], &tensor("ema")).contains(
        "key ema beside `model` holds tensors too; save the state dict alone, so that it is clear which tensors are meant"
    ));
    // tensors in an object among the weights would be left out without a word
    let hidden = Pickle::new().op(b"}").str("emb.weight").tensor("FloatStorage", "0", 16, 0, &[4, 4], &[4, 1]).op(b"s");
    let hidden = hidden.str("odd").global("some.library", "Quantised").op(b"(");
    let hidden = hidden.tensor("FloatStorage", "0", 16, 0, &[4, 4], &[4, 1]).op(b"tRs.");
    let text = refused("a.pth", &torch_zip(&hidden.0, &[vec![0; 64]]));
    assert!(text.contains("key odd beside the tensors holds tensors too"), "{text}");
}
