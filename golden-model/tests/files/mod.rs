//! Writes small valid checkpoints in every format, with a few ways to spoil them.
#![allow(dead_code)] // each test binary uses a part

use std::io::{Cursor, Write};

use golden_model::checkpoint::Shape;
use half::{bf16, f16};
use zip::write::SimpleFileOptions;

/// Number format of a written file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Num {
    F32,
    F16,
    Bf16,
}

impl Num {
    pub fn bytes(self, values: &[f32]) -> Vec<u8> {
        match self {
            Num::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Num::F16 => values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect(),
            Num::Bf16 => values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// All sizes differ, so that no two can be mixed up unseen.
pub fn tiny_shape() -> Shape {
    Shape {
        n_layer: 2,
        n_embd: 6,
        n_head: 2,
        head_size: 3,
        vocab_size: 7,
        dim_ffn: 5,
        rank_w: 1,
        rank_a: 2,
        rank_v: 4,
        rank_g: 8,
        deep_embed: false,
    }
}

/// The tensors of a network; every value is exact in f16 and bf16 and no two neighbours are equal.
pub fn network(shape: &Shape) -> Vec<Tensor> {
    let mut i = 0;
    let mut tensor = |name: String, shape: Vec<usize>| {
        let values = (0..shape.iter().product()).map(|_| {
            i = (i * 5 + 3) % 251;
            (i as f32 - 125.0) / 64.0
        });
        Tensor { name, values: values.collect(), shape }
    };
    shape.tensors().map(|t| tensor(t.name, t.shape)).collect()
}

pub fn find<'a>(tensors: &'a mut [Tensor], name: &str) -> &'a mut Tensor {
    tensors.iter_mut().find(|t| t.name == name).unwrap()
}

/// Written with the safetensors crate.
pub fn safetensors(tensors: &[Tensor], num: Num) -> Vec<u8> {
    use safetensors::tensor::{serialize, Dtype, TensorView};
    let data: Vec<Vec<u8>> = tensors.iter().map(|t| num.bytes(&t.values)).collect();
    let dtype = match num {
        Num::F32 => Dtype::F32,
        Num::F16 => Dtype::F16,
        Num::Bf16 => Dtype::BF16,
    };
    let views =
        tensors.iter().zip(&data).map(|(t, d)| (t.name.clone(), TensorView::new(dtype, t.shape.clone(), d).unwrap()));
    let note = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    serialize(views, Some(note)).unwrap()
}

/// A `.safetensors` file with this header and `n_data` zero bytes of data.
pub fn safetensors_raw(header: &str, n_data: usize) -> Vec<u8> {
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header.bytes());
    out.extend(vec![0; n_data]);
    out
}

pub fn ggmf_record(name: &str, shape: &[usize], code: u32, data: &[u8]) -> Vec<u8> {
    let words = [shape.len() as u32, name.len() as u32, code];
    let shape = shape.iter().map(|&d| d as u32);
    let mut out: Vec<u8> = words.into_iter().chain(shape).flat_map(u32::to_le_bytes).collect();
    out.extend(name.bytes());
    out.extend(data);
    out
}

pub fn ggmf_header(version: u32, shape: &Shape, code: u32) -> Vec<u8> {
    [0x6767_6d66, version, shape.vocab_size as u32, shape.n_embd as u32, shape.n_layer as u32, code]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect()
}

/// Writes a file as rwkv.cpp's converter does: shapes reversed, low-rank pairs transposed, the six mixes in one tensor; vectors in f32.
pub fn ggmf(tensors: &[Tensor], shape: &Shape, num: Num) -> Vec<u8> {
    let code = u32::from(num == Num::F16);
    let mut out = ggmf_header(101, shape, code);
    let mut mixes = Vec::new();
    for t in tensors {
        let leaf = t.name.rsplit('.').next().unwrap();
        if t.name.contains("att.x_") {
            mixes.extend(&t.values);
            if leaf == "x_g" {
                let name = t.name.replace("x_g", "x_rwkvag");
                out.extend(ggmf_record(&name, &[t.values.len(), 1, 6], 0, &Num::F32.bytes(&mixes)));
                mixes.clear();
            }
        } else if matches!(leaf, "w1" | "w2" | "a1" | "a2" | "v1" | "v2" | "g1" | "g2") {
            let (rows, columns) = (t.shape[0], t.shape[1]);
            let turned: Vec<f32> = (0..rows * columns).map(|i| t.values[i % rows * columns + i / rows]).collect();
            out.extend(ggmf_record(&t.name, &[rows, columns], code, &num.bytes(&turned)));
        } else if t.shape.len() == 1 {
            out.extend(ggmf_record(&t.name, &t.shape, 0, &Num::F32.bytes(&t.values)));
        } else {
            let reversed: Vec<usize> = t.shape.iter().rev().copied().collect();
            out.extend(ggmf_record(&t.name, &reversed, code, &num.bytes(&t.values)));
        }
    }
    out
}

/// A file of golden-model/tests/fixtures/forms.
pub fn form(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms").join(name)
}

/// A key of GGUF's table with a value of type `kind`.
pub fn gguf_key(name: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [gguf_text(name), kind.to_le_bytes().to_vec(), value.to_vec()].concat()
}

pub fn gguf_text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// The keys that a network of `shape` needs.
pub fn gguf_keys(shape: &Shape) -> Vec<Vec<u8>> {
    let number = |name: &str, n: usize| gguf_key(name, 4, &(n as u32).to_le_bytes());
    vec![
        gguf_key("general.architecture", 8, &gguf_text("rwkv7")),
        number("rwkv7.wkv.head_size", shape.head_size),
        number("rwkv7.block_count", shape.n_layer),
        gguf_key("rwkv7.attention.layer_norm_epsilon", 6, &1e-5f32.to_le_bytes()),
    ]
}

/// Writes a file as llama.cpp's converter does: shapes reversed, low-rank pairs transposed, `r_k` flat, the six mixes in one tensor.
pub fn gguf(tensors: &[Tensor], shape: &Shape, num: Num) -> Vec<u8> {
    gguf_of(&gguf_keys(shape), &gguf_tensors(tensors), num)
}

/// The tensors under llama.cpp's names, shapes fastest axis first.
pub fn gguf_tensors(tensors: &[Tensor]) -> Vec<Tensor> {
    let mut out: Vec<Tensor> = Vec::new();
    for t in tensors {
        let inside = t.name.strip_prefix("blocks.").and_then(|n| n.split_once('.'));
        let leaf = inside.map_or("", |(_, leaf)| leaf);
        if leaf.starts_with("att.x_") {
            match out.iter_mut().find(|m| m.name == format!("blk.{}.time_mix_lerp_fused.weight", inside.unwrap().0)) {
                Some(mixes) => mixes.values.extend(&t.values),
                None => out.push(Tensor {
                    name: format!("blk.{}.time_mix_lerp_fused.weight", inside.unwrap().0),
                    shape: vec![t.values.len(), 1, 1, 6],
                    values: t.values.clone(),
                }),
            }
            continue;
        }
        let name = match &t.name[..] {
            "emb.weight" => "token_embd.weight".to_owned(),
            "head.weight" => "output.weight".to_owned(),
            name if name.contains("ln_out") => name.replace("ln_out", "output_norm"),
            name if name.contains(".ln0.") => name.replace("blocks.0.ln0", "token_embd_norm"),
            name => {
                let name =
                    name.replace("blocks.", "blk.").replace("ln1.", "attn_norm.").replace("ln2.", "attn_norm_2.");
                let name = name.replace("att.ln_x.", "time_mix_ln.").replace("att.", "time_mix_");
                let name = name.replace("ffn.x_k", "channel_mix_lerp_k").replace("ffn.", "channel_mix_");
                let whole = name.ends_with(".weight") || name.ends_with(".bias");
                if whole {
                    name
                } else {
                    format!("{name}.weight")
                }
            }
        };
        let low_rank =
            matches!(leaf, "att.w1" | "att.w2" | "att.a1" | "att.a2" | "att.v1" | "att.v2" | "att.g1" | "att.g2");
        let (values, shape) = match t.shape[..] {
            [rows, columns] if low_rank => {
                ((0..rows * columns).map(|i| t.values[i % rows * columns + i / rows]).collect(), vec![rows, columns])
            }
            _ if leaf == "att.r_k" => (t.values.clone(), vec![t.values.len()]),
            _ => (t.values.clone(), t.shape.iter().rev().copied().collect()),
        };
        out.push(Tensor { name, shape, values });
    }
    out
}

/// A GGUF file of these keys and tensors.
pub fn gguf_of(keys: &[Vec<u8>], tensors: &[Tensor], num: Num) -> Vec<u8> {
    let mut out = b"GGUF\x03\0\0\0".to_vec();
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((keys.len() as u64).to_le_bytes());
    out.extend(keys.concat());
    let mut data: Vec<u8> = Vec::new();
    let code = match num {
        Num::F32 => 0u32,
        Num::F16 => 1,
        Num::Bf16 => 30,
    };
    for t in tensors {
        data.resize(data.len().next_multiple_of(32), 0);
        out.extend(gguf_text(&t.name));
        out.extend((t.shape.len() as u32).to_le_bytes());
        out.extend(t.shape.iter().flat_map(|&d| (d as u64).to_le_bytes()));
        out.extend(code.to_le_bytes());
        out.extend((data.len() as u64).to_le_bytes());
        data.extend(num.bytes(&t.values));
    }
    out.resize(out.len().next_multiple_of(32), 0);
    [out, data].concat()
}

/// Builds a pickle opcode by opcode.
#[derive(Clone, Default)]
pub struct Pickle(pub Vec<u8>);

impl Pickle {
    pub fn new() -> Self {
        Self(vec![0x80, 2])
    }

    pub fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub fn str(self, s: &str) -> Self {
        self.op(b"X").op(&(s.len() as u32).to_le_bytes()).op(s.as_bytes())
    }

    pub fn global(self, module: &str, name: &str) -> Self {
        self.op(b"c").op(module.as_bytes()).op(b"\n").op(name.as_bytes()).op(b"\n")
    }

    /// In the shortest form, as Python writes it.
    pub fn int(self, v: i64) -> Self {
        match v {
            0..=0xff => self.op(&[b'K', v as u8]),
            0x100..=0xffff => self.op(b"M").op(&(v as u16).to_le_bytes()),
            _ if i32::try_from(v).is_ok() => self.op(b"J").op(&(v as i32).to_le_bytes()),
            _ => self.op(&[0x8a, 8]).op(&v.to_le_bytes()),
        }
    }

    pub fn tuple(mut self, items: &[usize]) -> Self {
        self = self.op(b"(");
        for &item in items {
            self = self.int(item as i64);
        }
        self.op(b"t")
    }

    pub fn storage(self, class: &str, key: &str, len: i64) -> Self {
        self.op(b"(").str("storage").global("torch", class).str(key).str("cpu").int(len).op(b"tQ")
    }

    pub fn tensor(self, class: &str, key: &str, len: i64, offset: i64, shape: &[usize], strides: &[usize]) -> Self {
        let start = self.global("torch._utils", "_rebuild_tensor_v2").op(b"(").storage(class, key, len).int(offset);
        start.tuple(shape).tuple(strides).op(&[0x89]).global("collections", "OrderedDict").op(b")Rq\x05tRq\x06")
    }
}

/// How the tensors of a `.pth` are laid out.
#[derive(Clone, Copy, Debug, Default)]
pub struct PthStyle {
    /// Vectors as (1, 1, n), as the official files have them.
    pub unit_axes: bool,
    /// Low-rank matrices saved as transposed views.
    pub transposed: bool,
    /// One storage for all tensors.
    pub one_storage: bool,
    /// 64-bit sizes and positions in the archive, as for files of more than 4 GiB.
    pub wide: bool,
    /// Tensors are parameters in an OrderedDict with attributes, as a module's state dict.
    pub module: bool,
}

fn row_major(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect()
}

/// Writes a file as `torch.save(state_dict)` does.
pub fn pth(tensors: &[Tensor], num: Num, style: PthStyle) -> Vec<u8> {
    let class = match num {
        Num::F32 => "FloatStorage",
        Num::F16 => "HalfStorage",
        Num::Bf16 => "BFloat16Storage",
    };
    let mut p = Pickle::new();
    p = if style.module { p.global("collections", "OrderedDict").op(b")Rq\x00(") } else { p.op(b"}q\x00(") };
    let mut storages: Vec<Vec<f32>> = vec![Vec::new()];
    let total: usize = tensors.iter().map(|t| t.values.len()).sum();
    for (i, t) in tensors.iter().enumerate() {
        let turned = style.transposed && t.shape.len() == 2 && !t.name.ends_with("weight");
        let (values, mut shape, mut strides) = if turned {
            let (rows, columns) = (t.shape[0], t.shape[1]);
            (
                (0..rows * columns).map(|i| t.values[i % rows * columns + i / rows]).collect(),
                t.shape.clone(),
                vec![1, rows],
            )
        } else {
            (t.values.clone(), t.shape.clone(), row_major(&t.shape))
        };
        if style.unit_axes && shape.len() == 1 {
            (shape, strides) = (vec![1, 1, shape[0]], vec![shape[0], shape[0], 1]);
        }
        p = p.str(&t.name);
        if style.module {
            p = p.global("torch._utils", "_rebuild_parameter").op(b"(");
        }
        if style.one_storage {
            p = p.tensor(class, "0", total as i64, storages[0].len() as i64, &shape, &strides);
            storages[0].extend(values);
        } else {
            p = p.tensor(class, &i.to_string(), values.len() as i64, 0, &shape, &strides);
            storages.resize(i + 1, Vec::new());
            storages[i] = values;
        }
        if style.module {
            p = p.op(&[0x88]).global("collections", "OrderedDict").op(b")RtR");
        }
    }
    p = p.op(b"u");
    if style.module {
        p = p.op(b"}").str("_metadata").op(b"}sb");
    }
    let storages: Vec<Vec<u8>> = storages.iter().map(|s| num.bytes(s)).collect();
    archive(&p.op(b".").0, &storages, style.wide)
}

/// An archive with this pickle and these storages, named 0, 1, ….
pub fn torch_zip(pickle: &[u8], storages: &[Vec<u8>]) -> Vec<u8> {
    archive(pickle, storages, false)
}

fn archive(pickle: &[u8], storages: &[Vec<u8>], wide: bool) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut members = vec![("data.pkl".to_owned(), pickle.to_vec()), ("byteorder".to_owned(), b"little".to_vec())];
    members.extend(storages.iter().enumerate().map(|(i, s)| (format!("data/{i}"), s.clone())));
    members.push(("version".to_owned(), b"3\n".to_vec()));
    let zip = zip_of(&members, stored.with_alignment(64));
    if wide {
        widened(&zip)
    } else {
        zip
    }
}

/// Returns the archive with every size and position in its 64-bit form.
fn widened(zip: &[u8]) -> Vec<u8> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([zip[at], zip[at + 1]]));
    let u32_at = |at: usize| u32::from_le_bytes(zip[at..at + 4].try_into().unwrap());
    let end = zip.len() - 22;
    let (count, mut at) = (u16_at(end + 10), u32_at(end + 16) as usize);
    let directory = at as u64;
    let mut out = zip[..at].to_vec();
    for _ in 0..count {
        let (name, extra, comment) = (u16_at(at + 28), u16_at(at + 30), u16_at(at + 32));
        // an unknown extra field first, then full size, stored size and position
        let mut wide = b"\x42\x42\x02\0??\x01\0\x18\0".to_vec();
        for field in [24, 20, 42] {
            wide.extend(u64::from(u32_at(at + field)).to_le_bytes());
        }
        let mut head = zip[at..at + 46].to_vec();
        for field in [20, 24, 42] {
            head[field..field + 4].fill(0xff);
        }
        head[30..32].copy_from_slice(&((extra + wide.len()) as u16).to_le_bytes());
        out.extend(head);
        out.extend(&zip[at + 46..at + 46 + name + extra]);
        out.extend(wide);
        at += 46 + name + extra + comment;
    }
    let end64 = out.len() as u64;
    out.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
    for field in [count as u64, count as u64, end64 - directory, directory] {
        out.extend(field.to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(end64.to_le_bytes());
    out.extend(b"\x01\0\0\0");
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([0xff; 12]);
    out.extend(b"\0\0");
    out
}

pub fn zip_of(members: &[(String, Vec<u8>)], options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(format!("rwkv/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
