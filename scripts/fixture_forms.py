#!/usr/bin/env python3
"""Makes the checkpoints of golden-model/tests/fixtures/forms with the programs that write such files, and their logits.

    pip install -r scripts/requirements-forms.txt
    scripts/fixture_forms.py [FOLDER]          default: golden-model/tests/fixtures/forms

    trainer.pth         what a training program saves with torch: prefixes, a wrapper, arguments, an optimiser's tensors
    plain.bin           the same weights in torch's format of before 1.6, which must be refused
    hugging-face/       the network of fixtures/small.pth as rwkv7-hf converts it, in shards; epsilon 8 · 1e-5
    blocks.gguf         three layers as llama.cpp names them, written by gguf: every block format, F16, BF16, F32, a tokenizer
    blocks.bin          the same network in rwkv.cpp's format with its block formats
    ggml-blocks.safetensors   random blocks of each format and what gguf makes of them
    expected.safetensors      tokens of each network and the logits after every 16th of 160, by BlinkDL's `rwkv` (files with
                              blocks: for the weights that gguf decodes) and, for Hugging Face, by rwkv7-hf

None of the Rust code is used.
"""

import argparse
import collections
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["RWKV_V7_ON"] = "1"
os.environ["RWKV_JIT_ON"] = "0"
import gguf
import numpy as np
import torch
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

import fixture_network

Q = gguf.GGMLQuantizationType
ROOT = Path(__file__).resolve().parent.parent
SHOWN = 16  # logits of every 16th token are kept
STEPS = 160


def tokens_for(vocab):
    return [(7 * i * i + 3 * i + 1) % vocab for i in range(STEPS)]


def blinkdl(weights):
    """Logits after every 16th token, by the inference of the RWKV project."""
    from rwkv.model import RWKV

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        torch.save({k: torch.tensor(np.asarray(v, dtype=np.float32)) for k, v in weights.items()}, path + ".pth")
        model = RWKV(model=path, strategy="cpu fp32")
    state, rows = None, []
    for i, token in enumerate(tokens_for(weights["emb.weight"].shape[0])):
        logits, state = model.forward([token], state)
        if i % SHOWN == SHOWN - 1:
            rows.append(logits.numpy().astype(np.float32))
    return np.stack(rows)


def small():
    """The weights of fixtures/small.*, without the unused ones."""
    unused = {"blocks.0.att.v0", "blocks.0.att.v1", "blocks.0.att.v2"}
    everything = fixture_network.make_weights(np.random.default_rng(7))
    return {k: v for k, v in everything.items() if k not in unused}


def larger():
    """A network whose rows hold whole blocks of 32, and of 256 in ffn.value."""
    f = fixture_network
    kept = f.LAYERS, f.D, f.HEADS, f.N, f.VOCAB, f.FFN, f.RANK
    f.LAYERS, f.D, f.HEADS, f.N, f.VOCAB, f.FFN = 3, 32, 2, 16, 264, 256
    f.RANK = {"w": 6, "a": 5, "v": 3, "g": 7}
    weights = f.make_weights(np.random.default_rng(11))
    f.LAYERS, f.D, f.HEADS, f.N, f.VOCAB, f.FFN, f.RANK = kept
    return {k: v.astype(np.float32) for k, v in weights.items()}


def trainer(folder, weights):
    tensors = {n: torch.tensor(v, dtype=torch.bfloat16) for n, v in weights.items()}
    model = collections.OrderedDict(
        ("_forward_module._orig_mod." + n, torch.nn.Parameter(t.view(1, 1, -1) if ".att." in n and t.ndim == 1 else t))
        for n, t in tensors.items()
    )
    torch.save(
        {
            "epoch": 3,
            "hyper_parameters": argparse.Namespace(n_layer=2, lr=6e-4, devices={0, 1}, big=2**80, dtype=torch.bfloat16),
            "shapes": [t.shape for t in tensors.values()],
            "frozen": frozenset(["emb.weight"]),
            "path": Path("out"),
            "state_dict": model,
            "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}}],
        },
        folder / "trainer.pth",
    )
    torch.save(tensors, folder / "plain.bin", _use_new_zipfile_serialization=False)


def hugging_face(folder):
    out = folder / "hugging-face"
    source = ROOT / "golden-model/tests/fixtures/small.pth"
    command = [sys.executable, "-c", "from rwkv7_hf.converter import main; main()", "--input", source, "--output", out]
    subprocess.run([*command, "--precision", "bf16", "--max-shard-size", "10KB"], check=True)
    for file in out.iterdir():
        if file.suffix != ".safetensors" and not file.name.endswith("index.json") and file.name != "config.json":
            file.unlink()
    from rwkv7_hf.configuration_rwkv7 import RWKV7Config
    from rwkv7_hf.modeling_rwkv7 import RWKV7ForCausalLM

    model = RWKV7ForCausalLM.from_pretrained(out, config=RWKV7Config.from_pretrained(out), torch_dtype=torch.float32).eval()
    with torch.inference_mode():
        logits = model(torch.tensor([tokens_for(fixture_network.VOCAB)])).logits[0]
    return logits[SHOWN - 1 :: SHOWN].float().numpy().astype(np.float32)


def k_blocks(kind, shape, scale, rng):
    """Random blocks of a K format, whose quantiser gguf does not have; their numbers are about ± scale."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    n = int(np.prod(shape)) // block
    raw = rng.integers(0, 256, (n, size), dtype=np.uint8)
    half = lambda value: np.frombuffer((value * rng.uniform(0.5, 1.0, n)).astype("<f2").tobytes(), np.uint8).reshape(n, 2)
    if kind == Q.Q6_K:
        raw[:, 208:210] = half(scale / (32 * 64))
    else:
        levels = 16 if kind == Q.Q4_K else 32
        raw[:, 0:2], raw[:, 2:4] = half(scale / (levels * 32)), half(scale / 64)
    return raw.reshape(*shape[:-1], -1)


def in_blocks(weights, rng):
    """Each tensor as (type, bytes as stored, values after decoding); matrices take turns through the formats."""
    simple = [Q.Q8_0, Q.Q5_1, Q.Q4_0, Q.Q5_0, Q.Q4_1]
    out = {}
    for name, v in weights.items():
        kind = Q.F32
        if name in ("emb.weight", "head.weight"):
            kind = Q.F16 if name == "emb.weight" else Q.Q8_0
        elif name.endswith("ffn.value.weight"):
            kind = [Q.Q4_K, Q.Q5_K, Q.Q6_K][int(name.split(".")[1])]
        elif name == "blocks.2.att.output.weight":
            kind = Q.BF16
        elif v.ndim == 2 and name.endswith("weight"):
            kind = simple[len(out) % len(simple)]
        raw = k_blocks(kind, v.shape, 0.3, rng) if "K" in kind.name else quantize(v, kind)
        out[name] = (kind, raw, dequantize(raw, kind).astype(np.float32))
    return out


LOW_RANK = {c + d for c in "wavg" for d in "12"}


def write_gguf(path, tensors):
    shape = tensors["blocks.0.att.r_k"][2].shape
    vocab, d = tensors["emb.weight"][2].shape
    w = gguf.GGUFWriter(path, "rwkv7")
    w.add_embedding_length(d)
    w.add_block_count(3)
    w.add_layer_norm_eps(1e-5)
    w.add_wkv_head_size(shape[1])
    w.add_feed_forward_length(tensors["blocks.0.ffn.key.weight"][2].shape[0])
    w.add_head_count(0)
    w.add_tokenizer_model("rwkv")
    # a small vocabulary in the order of World: end of text, bytes, then words; each as Python writes it, see llama.cpp
    words = [bytes([b]) for b in range(256)] + [b" the", b"the", b"th", "é".encode(), b"\\n'\""]
    texts = [b"<s>"] + [repr(t)[2:-1].encode() for t in words]
    texts += [f"[PAD{i}]".encode() for i in range(len(texts), vocab)]
    kinds = [gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * len(words)
    kinds += [gguf.TokenType.UNUSED] * (vocab - len(kinds))
    w.add_token_list(texts)
    w.add_token_types(kinds)

    map = gguf.get_tensor_name_map(gguf.MODEL_ARCH.RWKV7, 3)
    for name, (kind, raw, values) in tensors.items():
        parts = name.split(".")
        if ".att.x_" in name:
            if name.endswith("x_r"):
                mixes = [tensors[name[:-1] + c][2] for c in "rwkvag"]
                w.add_tensor(f"blk.{parts[1]}.time_mix_lerp_fused.weight", np.stack(mixes).reshape(6, 1, 1, -1))
            continue
        # the names that llama.cpp's converter looks up
        theirs = name.replace("blocks.", "model.layers.").replace(".att.", ".attention.").replace(".ffn.", ".feed_forward.")
        theirs = {"emb.weight": "model.embeddings.weight", "head.weight": "head.weight"}.get(name, theirs)
        theirs = theirs.replace("model.layers.0.ln0", "model.layers.0.pre_norm")
        theirs = theirs.replace("ln_out", "model.norm")
        new = map.get_name(theirs, try_suffixes=(".weight", ".bias"))
        assert new, name
        if not new.endswith((".weight", ".bias")):
            new += ".weight"
        if parts[-1] in LOW_RANK:
            raw = np.ascontiguousarray(values.T)
        if parts[-1] == "r_k":
            raw = values.reshape(-1)
        if parts[1] == "0" and parts[-1] in {"a0", "a1", "a2"}:  # llama.cpp's dummies, instead of layer 0's own
            w.add_tensor(new.replace("time_mix_a", "time_mix_v"), raw)
        if parts[1] == "0" and parts[-1] in {"v0", "v1", "v2"}:
            continue
        w.add_tensor(new, raw, raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def write_ggmf(path, tensors):
    """rwkv.cpp's format, version 101; its types have numbers of their own. Returns the weights as decoded."""
    codes = {Q.F32: 0, Q.F16: 1, Q.Q4_0: 2, Q.Q4_1: 3, Q.Q5_0: 7, Q.Q5_1: 8, Q.Q8_0: 9}
    vocab, d = tensors["emb.weight"][2].shape
    out, decoded = struct.pack("<6I", 0x67676D66, 101, vocab, d, 3, 9), {}

    def record(name, shape, code, raw):
        key = name.encode()
        return struct.pack(f"<3I{len(shape)}I", len(shape), len(key), code, *shape) + key + raw.tobytes()

    for name, (kind, raw, values) in tensors.items():
        if kind not in codes:
            kind = Q.Q4_0
            raw = quantize(values, kind)
            values = dequantize(raw, kind)
        decoded[name] = values
        if ".att.x_" in name:
            if name.endswith("x_r"):
                mixes = np.stack([tensors[name[:-1] + c][2] for c in "rwkvag"])
                out += record(name[:-3] + "x_rwkvag", (d, 1, 6), 0, mixes)
        elif name.split(".")[-1] in LOW_RANK:
            out += record(name, values.shape, 0, np.ascontiguousarray(values.T))
        else:
            out += record(name, values.shape[::-1], codes[kind], raw)
    Path(path).write_bytes(out)
    return decoded


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "golden-model/tests/fixtures/forms"
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rng = np.random.default_rng(5)
    expected = {}
    trainer(folder, small())
    expected["trainer"] = blinkdl(small())
    expected["hugging-face"] = hugging_face(folder)
    tensors = in_blocks(larger(), rng)
    write_gguf(folder / "blocks.gguf", tensors)
    expected["blocks.gguf"] = blinkdl({n: t[2] for n, t in tensors.items()})
    expected["blocks.bin"] = blinkdl(write_ggmf(folder / "blocks.bin", tensors))
    for name, logits in list(expected.items()):
        vocab = logits.shape[1]
        expected[name + ".tokens"] = np.array(tokens_for(vocab), dtype=np.float32)
    save_file(expected, folder / "expected.safetensors")
    pairs = {}
    for kind in [Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q4_K, Q.Q5_K, Q.Q6_K]:
        if "K" in kind.name:
            raw = k_blocks(kind, (1, 1024), 8.0, rng)
        else:
            raw = quantize(rng.normal(size=(1, 1024)).astype(np.float32), kind)
        pairs[kind.name] = raw.reshape(-1)
        pairs[kind.name + ".values"] = dequantize(raw, kind).reshape(-1).astype(np.float32)
    save_file(pairs, folder / "ggml-blocks.safetensors")


main()
