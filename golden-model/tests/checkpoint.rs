//! Checkpoints of every format: read to the same weights, or refused in one sentence.
mod files;

use files::*;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Dtype, Format, Shape};

/// Opens `bytes` from a file and gives the checkpoint, or the error text after the path.
fn open(bytes: &[u8]) -> Result<Checkpoint, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    Checkpoint::open(file.path()).map_err(|e| after_path(&e.to_string(), file.path()))
}

fn after_path(text: &str, path: &std::path::Path) -> String {
    text.strip_prefix(&format!("{}: ", path.display())).expect("the error begins with the file's path").to_owned()
}

fn refusal(bytes: &[u8]) -> String {
    open(bytes).map(|c| format!("accepted as {:?}", c.shape())).unwrap_err()
}

fn assert_holds(bytes: &[u8], tensors: &[Tensor], what: &str) {
    let checkpoint = open(bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert_eq!(checkpoint.shape(), &tiny_shape(), "{what}");
    for t in tensors {
        let view = checkpoint.tensor(&t.name).unwrap();
        assert_eq!((view.name, view.shape), (&t.name[..], &t.shape[..]), "{what}");
        assert_eq!(checkpoint.read(&t.name).unwrap(), t.values, "{what}: {}", t.name);
    }
    assert_eq!(checkpoint.tensors().count(), tensors.len(), "{what}");
    let weights = Weights::read(&checkpoint).unwrap();
    let value = |name: &str| tensors.iter().find(|t| t.name == name).unwrap().values.clone();
    assert_eq!(weights.layers[1].att.v.as_ref().unwrap().v2.as_slice().unwrap(), value("blocks.1.att.v2"));
    assert_eq!(weights.layers[0].ffn.value.as_slice().unwrap(), value("blocks.0.ffn.value.weight"));
    assert_eq!(weights.ln_out.bias.as_slice().unwrap(), value("ln_out.bias"));
}

#[test]
fn all_formats_hold_the_same_network() {
    let shape = tiny_shape();
    let tensors = network(&shape);
    for num in [Num::F32, Num::F16, Num::Bf16] {
        assert_holds(&safetensors(&tensors, num), &tensors, &format!("safetensors {num:?}"));
        for bits in 0..32 {
            let bit = |i: u32| bits >> i & 1 == 1;
            let style =
                PthStyle { unit_axes: bit(0), transposed: bit(1), one_storage: bit(2), module: bit(3), wide: bit(4) };
            assert_holds(&pth(&tensors, num, style), &tensors, &format!("pth {num:?} {style:?}"));
        }
        if num != Num::Bf16 {
            assert_holds(&ggmf(&tensors, &shape, num), &tensors, &format!("ggmf {num:?}"));
        }
    }
}

#[test]
fn the_format_is_recognised_by_content_and_the_numbers_stay_in_the_file() {
    let shape = tiny_shape();
    let tensors = network(&shape);
    let formats = [
        (safetensors(&tensors, Num::Bf16), Format::Safetensors, Dtype::Bf16),
        (pth(&tensors, Num::F16, PthStyle::default()), Format::Pth, Dtype::F16),
        (ggmf(&tensors, &shape, Num::F32), Format::Ggmf, Dtype::F32),
    ];
    for (bytes, format, dtype) in formats {
        let checkpoint = open(&bytes).unwrap();
        assert_eq!(checkpoint.format(), format);
        let emb = checkpoint.tensor("emb.weight").unwrap();
        assert_eq!(emb.dtype, dtype);
        assert!(emb.is_contiguous());
        assert_eq!(Some(emb.bytes.len()), dtype.bytes(emb.len()));
    }
}

#[test]
fn value_residual_of_layer_0_is_ignored_and_any_order_is_read() {
    let mut tensors = network(&tiny_shape());
    let expected = tensors.clone();
    for (leaf, shape) in [("v0", vec![6]), ("v1", vec![6, 9]), ("v2", vec![9, 6])] {
        let values = vec![f32::NAN; shape.iter().product()];
        tensors.push(Tensor { name: format!("blocks.0.att.{leaf}"), shape, values });
    }
    tensors.reverse();
    for bytes in
        [safetensors(&tensors, Num::F32), pth(&tensors, Num::F32, PthStyle::default()), ggmf_reordered(&tensors)]
    {
        assert_holds(&bytes, &expected, "with extras");
        assert_eq!(open(&bytes).unwrap().ignored(), ["blocks.0.att.v0", "blocks.0.att.v1", "blocks.0.att.v2"]);
    }
}

/// DeepEmbed is there as a whole or not at all.
#[test]
fn tensors_of_rwkv_7a_are_read_and_missed_by_name() {
    let shape = Shape { deep_embed: true, ..tiny_shape() };
    let tensors = network(&shape);
    for bytes in [safetensors(&tensors, Num::Bf16), pth(&tensors, Num::F32, PthStyle::default())] {
        let checkpoint = open(&bytes).unwrap();
        assert_eq!((checkpoint.shape(), checkpoint.tensors().count()), (&shape, tensors.len()));
        assert!(tensors.iter().all(|t| checkpoint.read(&t.name).unwrap() == t.values));
    }
    for leaf in ["ffn.s_emb.weight", "ffn.s_emb_x.weight", "ffn.s0", "ffn.s1", "ffn.s2"] {
        for layer in 0..2 {
            let name = format!("blocks.{layer}.{leaf}");
            let others: Vec<Tensor> = tensors.iter().filter(|t| t.name != name).cloned().collect();
            let text = refusal(&safetensors(&others, Num::F32));
            assert!(text.starts_with(&format!("tensor {name} is missing")), "{text}");
            let mut alone = network(&tiny_shape());
            alone.push(tensors.iter().find(|t| t.name == name).unwrap().clone());
            let text = refusal(&safetensors(&alone, Num::F32));
            assert!(text.contains("blocks.0.ffn.s") && text.contains("is missing"), "{name} alone: {text}");
        }
    }
    let mut narrow = tensors.clone();
    find(&mut narrow, "blocks.1.ffn.s1").shape.reverse();
    let text = refusal(&safetensors(&narrow, Num::F32));
    assert!(text.contains("blocks.1.ffn.s1") && text.contains("(n_embd, rank_s) = (6, 32)"), "{text}");
}

/// Leaving out a tensor that something else uses would give wrong logits without a word.
#[test]
fn a_tensor_that_no_formula_uses_is_refused_with_what_it_is() {
    let refused = |names: &[&str]| {
        let mut tensors = network(&tiny_shape());
        tensors.extend(names.iter().map(|n| Tensor { name: n.to_string(), shape: vec![2, 3], values: vec![0.0; 6] }));
        [safetensors(&tensors, Num::F16), pth(&tensors, Num::F32, PthStyle::default())].map(|bytes| refusal(&bytes))
    };
    let cases: &[(&[&str], &str)] = &[
        (&["blocks.0.att.receptance.lora_A"], "belongs to an adapter (LoRA, Bone, MiSS or the like)"),
        (&["blocks.1.ffn.key.lora_B"], "belongs to an adapter"),
        (&["blocks.1.ffn.key.bone"], "belongs to an adapter"),
        (&["blocks.1.att.time_state"], "is an initial state from state tuning, not a weight"),
        // RWKV-7b has the tensors of RWKV-7a too
        (&["blocks.0.qkv.k1", "blocks.0.ffn.s0"], "belongs to the attention of RWKV-7b"),
        (&["blocks.0.ffn.enn.weight", "blocks.0.qkv.qq.weight"], "belongs to RWKV-8, expected RWKV-7"),
        (&["rosa_1bit.emb0"], "belongs to RWKV-8"),
        (&["blocks.1.att.time_maa_k"], "belongs to RWKV-4, 5 or 6, expected RWKV-7"),
        (&["blocks.1.ffn.receptance.weight"], "belongs to RWKV-4, 5 or 6"),
        (&["blocks.1.att.q_proj.weight"], "belongs to another kind of layer beside RWKV-7's"),
        (&["blocks.1.att.key.weight_scale"], "belongs to a matrix that another tool has quantised"),
        (&["optimizer.exp_avg"], "belongs to a training run's optimiser"),
        (&["vit.patch.weight"], "belongs to an encoder of images or sound"),
        (&["score.weight"], "belongs to a classifier or reward head"),
        (&["blocks.1.att.receptance.bias"], "is a bias of a linear layer, and RWKV-7's linear layers have none"),
        (&["head.bias"], "is a bias of a linear layer"),
        (&["blocks.1.ln0.weight"], "is none of RWKV-7's tensors"),
        (&["odd"], "is none of RWKV-7's tensors"),
        (&["blocks.x.att.w0"], "is none of RWKV-7's tensors"),
    ];
    for (names, what) in cases {
        for text in refused(names) {
            assert!(text.starts_with(&format!("tensor {} {what}", names[0])), "{names:?}: {text}");
            assert!(
                text.ends_with("; no formula of RWKV-7 uses it, and without it the logits would be wrong"),
                "{text}"
            );
        }
    }
}

/// The mixes must stay in order to be joined.
fn ggmf_reordered(tensors: &[Tensor]) -> Vec<u8> {
    let mut tensors = tensors.to_vec();
    let place = |name: &str| {
        "rwkvag".find(name.chars().last().unwrap_or_default()).filter(|_| name.contains("att.x_")).unwrap_or(0)
    };
    tensors.sort_by_key(|t| (t.name.contains("att.x_"), t.name.contains("blocks.1"), place(&t.name)));
    ggmf(&tensors, &tiny_shape(), Num::F16)
}

#[test]
fn head_and_embedding_may_be_tied_but_nothing_else() {
    let tensors = network(&tiny_shape());
    for (from, to) in [("head.weight", "emb.weight"), ("ln_out.bias", "ln_out.weight")] {
        let mut p = Pickle::new().op(b"}(");
        for t in &tensors {
            let source = if t.name == from { to } else { &t.name };
            let i = tensors.iter().position(|t| t.name == source).unwrap();
            let strides = if t.shape.len() == 2 { vec![t.shape[1], 1] } else { vec![1] };
            p = p.str(&t.name).tensor("FloatStorage", &i.to_string(), t.values.len() as i64, 0, &t.shape, &strides);
        }
        let data: Vec<Vec<u8>> = tensors.iter().map(|t| Num::F32.bytes(&t.values)).collect();
        let result = open(&torch_zip(&p.op(b"u.").0, &data)).map(|_| ());
        match from {
            "head.weight" => assert_eq!(result, Ok(())),
            _ => assert_eq!(
                result.unwrap_err(),
                "tensor ln_out.weight: overlaps tensor ln_out.bias in the file, expected each to have its own bytes"
            ),
        }
    }
}

#[test]
fn what_is_not_a_file_of_a_known_format() {
    let dir = tempfile::tempdir().unwrap();
    let text = |path: &std::path::Path| after_path(&Checkpoint::open(path).unwrap_err().to_string(), path);
    assert_eq!(
        text(dir.path()),
        "is a folder without model.safetensors or pytorch_model.bin (or their index.json); name the file of the checkpoint"
    );
    assert!(text(&dir.path().join("none.pth")).starts_with("cannot be read: No such file"));
    let expected = "expected a torch zip (.pth), .safetensors, .gguf or an rwkv.cpp .bin";
    for (bytes, is) in [
        (&b"hello world"[..], format!("is no checkpoint (its first bytes are 68 65 6c 6c 6f 20 77 6f); {expected}")),
        (b"x", format!("is no checkpoint (its first bytes are 78); {expected}")),
        (b"", "is empty; expected an RWKV-7 checkpoint (.pth, .safetensors, .gguf or rwkv.cpp .bin)".into()),
    ] {
        assert_eq!(refusal(bytes), is);
    }
}

#[test]
fn a_missing_or_misshapen_tensor_is_named() {
    let good = network(&tiny_shape());
    let spoiled = |spoil: &dyn Fn(&mut Vec<Tensor>)| {
        let mut tensors = good.clone();
        spoil(&mut tensors);
        refusal(&safetensors(&tensors, Num::F32))
    };
    let without = |name: &str| spoiled(&|t| t.retain(|t| t.name != name));
    let reshaped = |name: &str, shape: &[usize]| {
        spoiled(&|t| {
            let t = find(t, name);
            *t = Tensor { name: name.into(), shape: shape.to_vec(), values: vec![0.5; shape.iter().product()] };
        })
    };
    assert_eq!(without("blocks.1.att.w2"), "tensor blocks.1.att.w2 is missing; expected (rank_w, n_embd) = (1, 6)");
    assert_eq!(without("ln_out.bias"), "tensor ln_out.bias is missing; expected (n_embd) = (6)");
    assert_eq!(without("emb.weight"), "tensor emb.weight is missing; expected (vocab_size, n_embd); the file has 68 tensors, the first is blocks.0.att.a0");
    assert_eq!(without("blocks.0.att.r_k"), "tensor blocks.0.att.r_k is missing; expected (n_head, head_size); the file has 68 tensors, the first is blocks.0.att.a0");
    assert_eq!(
        reshaped("blocks.1.att.a1", &[6, 3]),
        "tensor blocks.1.att.a1 has shape (6, 3), expected (n_embd, rank_a) = (6, 2)"
    );
    assert_eq!(reshaped("blocks.0.ln0.bias", &[5]), "tensor blocks.0.ln0.bias has shape (5), expected (n_embd) = (6)");
    assert_eq!(
        reshaped("blocks.0.att.r_k", &[3, 3]),
        "tensor blocks.0.att.r_k has shape (3, 3), expected (n_head, head_size) with n_head * head_size = n_embd = 6"
    );
    assert_eq!(
        reshaped("emb.weight", &[0, 6]),
        "tensor emb.weight has shape (0, 6), expected (vocab_size, n_embd), both at least 1"
    );
    assert_eq!(
        reshaped("emb.weight", &[42]),
        "tensor emb.weight has shape (42), expected (vocab_size, n_embd), both at least 1"
    );
    let gap = spoiled(&|t| t.iter_mut().for_each(|t| t.name = t.name.replace("blocks.1.", "blocks.2.")));
    assert_eq!(gap, "tensor blocks.1.att.v1 is missing; expected (n_embd, rank_v); the file has 69 tensors, the first is blocks.0.att.a0");
}

#[test]
fn a_number_that_is_not_finite_is_named() {
    for (num, bad, shown) in
        [(Num::F32, f32::NAN, "NaN"), (Num::F16, f32::INFINITY, "inf"), (Num::Bf16, f32::NEG_INFINITY, "-inf")]
    {
        let mut tensors = network(&tiny_shape());
        find(&mut tensors, "blocks.1.ffn.key.weight").values[3 * 6 + 4] = bad;
        let checkpoint = open(&safetensors(&tensors, num)).unwrap();
        let error = Weights::read(&checkpoint).unwrap_err().to_string();
        let expected =
            format!("tensor blocks.1.ffn.key.weight holds {shown} at index [3, 4], expected finite numbers only");
        assert_eq!(after_path(&error, checkpoint.path()), expected);
    }
}

#[test]
fn older_generations_are_recognised() {
    let of = |names: &[&str]| {
        let tensors: Vec<Tensor> =
            names.iter().map(|n| Tensor { name: n.to_string(), shape: vec![6], values: vec![0.0; 6] }).collect();
        refusal(&safetensors(&tensors, Num::F32))
    };
    let text = |n: u32, sign: &str| {
        format!("is an RWKV-{n} checkpoint (it holds blocks.0.att.{sign}), expected RWKV-7, which has blocks.0.att.r_k")
    };
    assert_eq!(of(&["emb.weight", "blocks.0.att.time_decay", "blocks.0.att.time_first"]), text(4, "time_decay"));
    assert_eq!(of(&["emb.weight", "blocks.0.att.time_decay", "blocks.0.att.ln_x.weight"]), text(5, "time_decay"));
    assert_eq!(
        of(&["blocks.0.att.time_decay", "blocks.0.att.time_faaaa", "blocks.0.att.ln_x.weight"]),
        text(5, "time_decay")
    );
    assert_eq!(
        of(&["blocks.0.att.time_decay", "blocks.0.att.time_faaaa", "blocks.0.att.time_maa_x"]),
        text(6, "time_maa_x")
    );
}

#[test]
fn damaged_safetensors() {
    let case = |header: &str, n: usize| refusal(&safetensors_raw(header, n));
    let emb = |dtype: &str, shape: &str, offsets: &str| {
        case(&format!(r#"{{"emb.weight":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#), 24)
    };
    assert!(case("{nonsense", 0)
        .starts_with("damaged or unsupported .safetensors file: in the header: key must be a string"));
    assert_eq!(case("{}", 0), "tensor emb.weight is missing; the file holds no tensors");
    assert_eq!(
        emb("F32", "[2,3]", "[0,25]"),
        "tensor emb.weight: lies at bytes 0 to 25 of the data, which has 24 bytes"
    );
    assert_eq!(
        emb("F32", "[2,3]", "[24,0]"),
        "tensor emb.weight: lies at bytes 24 to 0 of the data, which has 24 bytes"
    );
    assert_eq!(emb("F32", "[2,3]", "[0,20]"), "tensor emb.weight: has 20 bytes, which is not (2, 3) of F32");
    assert!(emb("F32", "[9223372036854775807,9]", "[0,24]").ends_with("which is not (9223372036854775807, 9) of F32"));
    assert!(emb("F32", "[2,3]", "[0,18446744073709551615]").contains("lies at bytes 0 to 18446744073709551615"));
    assert!(emb("F32", "[2,-3]", "[0,24]").contains("invalid value: integer `-3`"));
    let twice = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    assert_eq!(case(twice, 8), "tensor a: is in the file twice");
    let mut huge = safetensors_raw("{}", 0);
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(refusal(&huge), "damaged or unsupported .safetensors file: the header should have 18446744073709551615 bytes, the file has 2 more");
    let deep = format!(r#"{{"a":{}"#, "[".repeat(1_000_000));
    assert!(case(&deep, 0).starts_with("damaged or unsupported .safetensors file: in the header: "));
    let other = safetensors(&network(&tiny_shape()), Num::F32);
    let other = String::from_utf8_lossy(&other[8..]).replace(r#""F32""#, r#""I32""#);
    let end = other.find("]}}").unwrap() + 3;
    let data = safetensors(&network(&tiny_shape()), Num::F32).len();
    assert_eq!(case(&other[..end], data), "tensor emb.weight holds I32 numbers, expected F32, F16, BF16 or ggml's Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K");
}

#[test]
fn damaged_ggmf() {
    let shape = tiny_shape();
    let header = ggmf_header(101, &shape, 1);
    let with = |record: Vec<u8>| refusal(&[&header[..], &record].concat());
    let prefix = "damaged or unsupported rwkv.cpp .bin file: ";
    assert_eq!(refusal(&ggmf_header(102, &shape, 0)), format!("{prefix}version 102, expected 100 or 101"));
    let old = "is block-quantised as before version 101; quantise the original again";
    assert_eq!(refusal(&ggmf_header(100, &shape, 8)), format!("{prefix}{old}"));
    let removed = "has a block format that rwkv.cpp has removed; quantise the original again";
    assert_eq!(refusal(&ggmf_header(101, &shape, 5)), format!("{prefix}{removed}"));
    assert_eq!(
        refusal(&header[..20]),
        format!("{prefix}the file ends at byte 20, 4 more bytes expected after byte 20")
    );
    assert_eq!(refusal(&header), format!("{prefix}the header says 2 layers, the tensors make 0"));
    assert_eq!(with(ggmf_record("a", &[4], 0, &[0; 15])), "tensor a: needs 16 bytes, the file has 15 more");
    assert_eq!(with(ggmf_record("a", &[4], 2, &[0; 16])), "tensor a: shape (4) is none that Q4_0 can have");
    assert_eq!(
        with(ggmf_record("a", &[16, 2], 2, &[0; 18])),
        "tensor a: has rows of 16 numbers, expected whole blocks of 32 of Q4_0"
    );
    assert_eq!(
        with(ggmf_record("a", &[4], 77, &[0; 16])),
        "tensor a: has data type 77, expected 0 (FP32), 1 (FP16), or 2 3 7 8 9 (block-quantised)"
    );
    assert_eq!(
        with(ggmf_record("a", &[1; 5], 0, &[0; 4])),
        format!("{prefix}the record at byte 24 has 5 axes and a name of 1 bytes")
    );
    assert_eq!(
        with(ggmf_record("a", &[u32::MAX as usize; 4], 0, &[])),
        "tensor a: shape (4294967295, 4294967295, 4294967295, 4294967295) is none that F32 can have"
    );
    let mut other = shape.clone();
    other.n_layer = 0;
    assert_eq!(
        refusal(&[ggmf_header(101, &other, 1), ggmf_record("blocks.0.att.x_rwkvag", &[5, 1], 0, &[0; 20])].concat()),
        "tensor blocks.0.att.x_rwkvag: has shape (1, 5), expected six vectors of equal length"
    );
    other.n_layer = 2;
    other.vocab_size = 8;
    let tensors = network(&shape);
    assert_eq!(
        refusal(&ggmf(&tensors, &other, Num::F32)),
        "tensor emb.weight has shape (7, 6), expected (n_vocab, n_embed) = (8, 6) of the file's header"
    );
}
