#!/usr/bin/env python3
"""Makes the small RWKV-7 network of golden-model/tests/fixtures and the logits it must give.

    pip install numpy==2.4.6
    scripts/fixture_network.py [FOLDER]          default: golden-model/tests/fixtures

The weights are random, with ranges in which every part of the network matters. The network is computed here in float64
from the formulas of the RWKV-7 "Goose" paper (arXiv 2503.14456), with the recurrence as a product of matrices; nothing of
the Rust code is used. Every weight has at most 8 significant bits and an exponent that 16-bit floats have too, so all four
files hold the same numbers and give the same logits:

    small.safetensors   32-bit floats
    small-f32.bin       rwkv.cpp's format, 32-bit floats
    small-f16.bin       rwkv.cpp's format, matrices in 16-bit floats
    small.pth           a PyTorch state dict in bfloat16, written by Python's own pickle; holds layer 0's unused att.v0, v1, v2
    small.json          tokens, logits after each of them, and the states after the last

A second network, small-7a.safetensors (bfloat16) with small-7a.json, is the same with DeepEmbed (RWKV-7a) in every layer, from the
formulas of `rwkv_v7a_demo.py` of RWKV-LM: the matrices of all tokens are made first, as that program does.
"""

import collections
import io
import json
import pickle
import struct
import sys
import types
import zipfile
from pathlib import Path

import numpy as np

LAYERS, D, HEADS, N, VOCAB, FFN = 2, 16, 2, 8, 19, 28
RANK = {"w": 5, "a": 3, "v": 2, "g": 7}
RANK_S = 32  # the same in every network
TOKENS = [3, 0, 18, 7, 7, 1, 12, 5, 9, 16, 2, 4]


def exact(values):
    """Rounds to 8 significant bits; magnitudes below 2^-10 become 0."""
    mantissa, exponent = np.frexp(values)
    rounded = np.ldexp(np.round(mantissa * 256) / 256, exponent)
    return np.where(np.abs(rounded) < 2.0**-10, 0.0, rounded)


def make_weights(rng):
    """Returns name -> float64 array, in the order of an official checkpoint."""
    w = {}

    def uniform(name, shape, middle, spread):
        w[name] = exact(middle + spread * rng.uniform(-1.0, 1.0, shape))

    def matrix(name, rows, columns, gain=1.7):
        uniform(name, (rows, columns), 0.0, gain / np.sqrt(columns if name.endswith("weight") else rows))

    def layer_norm(name):
        uniform(name + ".weight", (D,), 1.0, 0.5)
        uniform(name + ".bias", (D,), 0.0, 0.3)

    uniform("emb.weight", (VOCAB, D), 0.0, 1.0)
    for i in range(LAYERS):
        b = f"blocks.{i}."
        if i == 0:
            layer_norm(b + "ln0")
        layer_norm(b + "ln1")
        layer_norm(b + "ln2")
        for x in "rwkvag":
            uniform(b + "att.x_" + x, (D,), 0.5, 0.8)  # not confined to 0 to 1
        for letter, middle, spread in [("w", -2.0, 4.0), ("a", 0.0, 2.0), ("v", 0.0, 2.0)]:
            uniform(f"{b}att.{letter}0", (D,), middle, spread)
            matrix(f"{b}att.{letter}1", D, RANK[letter])
            matrix(f"{b}att.{letter}2", RANK[letter], D)
        matrix(b + "att.g1", D, RANK["g"])
        matrix(b + "att.g2", RANK["g"], D)
        uniform(b + "att.k_k", (D,), 0.9, 0.4)
        uniform(b + "att.k_a", (D,), 0.9, 0.4)
        uniform(b + "att.r_k", (HEADS, N), 0.0, 0.5)
        for name in ["receptance", "key", "value", "output"]:
            matrix(f"{b}att.{name}.weight", D, D)
        layer_norm(b + "att.ln_x")
        uniform(b + "ffn.x_k", (D,), 0.5, 0.8)
        matrix(b + "ffn.key.weight", FFN, D)
        matrix(b + "ffn.value.weight", D, FFN)
    layer_norm("ln_out")
    matrix("head.weight", VOCAB, D)
    return w


def with_deep_embed(w, rng):
    """Returns the weights with those of DeepEmbed behind each layer's; the gate is near 1 and of either sign."""
    deep = dict(w)
    for i in range(LAYERS):
        b = f"blocks.{i}.ffn."
        uniform = lambda shape, middle, spread: exact(middle + spread * rng.uniform(-1.0, 1.0, shape))
        deep[b + "s_emb.weight"] = uniform((VOCAB, RANK_S * RANK_S), 0.0, 0.3)
        deep[b + "s_emb_x.weight"] = uniform((RANK_S * RANK_S, D), 0.0, 0.1)
        deep[b + "s0"] = uniform((1, 1, FFN), 0.7, 0.9)
        deep[b + "s1"] = uniform((D, RANK_S), 0.0, 0.4)
        deep[b + "s2"] = uniform((RANK_S, FFN), 0.0, 0.3)
    return deep


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def standardise(x, eps):
    return (x - x.mean()) / np.sqrt(x.var() + eps)


class Network:
    """The network with its states: token in, logits out."""

    def __init__(self, w):
        self.w = w
        self.att_prev = np.zeros((LAYERS, D))
        self.ffn_prev = np.zeros((LAYERS, D))
        self.S = np.zeros((LAYERS, HEADS, N, N))  # row = value index, column = key index
        self.own = []  # of each layer (VOCAB, 32, 32), if there is DeepEmbed
        if "blocks.0.ffn.s_emb.weight" in w:
            emb = np.stack([self.norm(row, "blocks.0.ln0") for row in w["emb.weight"]])
            for i in range(LAYERS):
                p = lambda name: w[f"blocks.{i}.ffn.{name}.weight"]
                self.own.append((p("s_emb") + emb @ p("s_emb_x").T).reshape(VOCAB, RANK_S, RANK_S))

    def norm(self, x, name):
        return standardise(x, 1e-5) * self.w[name + ".weight"] + self.w[name + ".bias"]

    def token(self, token):
        x = self.norm(self.w["emb.weight"][token], "blocks.0.ln0")
        for i in range(LAYERS):
            x = x + self.time_mix(i, self.norm(x, f"blocks.{i}.ln1"))
            x = x + self.channel_mix(i, token, self.norm(x, f"blocks.{i}.ln2"))
        return self.w["head.weight"] @ self.norm(x, "ln_out")

    def time_mix(self, i, h):
        p = lambda name: self.w[f"blocks.{i}.att.{name}"]
        mixed = {c: h * (1 - p("x_" + c)) + self.att_prev[i] * p("x_" + c) for c in "rwkvag"}
        self.att_prev[i] = h
        r = p("receptance.weight") @ mixed["r"]
        k = p("key.weight") @ mixed["k"]
        v = p("value.weight") @ mixed["v"]
        decay = np.exp(-np.exp(-0.5) * sigmoid(p("w0") + np.tanh(mixed["w"] @ p("w1")) @ p("w2")))
        a = sigmoid(p("a0") + mixed["a"] @ p("a1") @ p("a2"))
        g = sigmoid(mixed["g"] @ p("g1")) @ p("g2")
        if i == 0:
            self.v_first = v
        else:
            share = sigmoid(p("v0") + mixed["v"] @ p("v1") @ p("v2"))
            v = (1 - share) * v + share * self.v_first
        removal = k * p("k_k")
        k = k * (1 - p("k_a") + a * p("k_a"))
        y = np.zeros(D)
        for head in range(HEADS):
            at = slice(head * N, (head + 1) * N)
            kappa = removal[at] / max(np.linalg.norm(removal[at]), 1e-12)
            transition = np.diag(decay[at]) - np.outer(kappa, a[at] * kappa)
            self.S[i, head] = self.S[i, head] @ transition + np.outer(v[at], k[at])
            out = standardise(self.S[i, head] @ r[at], 64e-5)
            bonus = np.sum(r[at] * k[at] * p("r_k")[head])
            y[at] = out * p("ln_x.weight")[at] + p("ln_x.bias")[at] + bonus * v[at]
        return p("output.weight") @ (y * g)

    def channel_mix(self, i, token, h):
        p = lambda name: self.w[f"blocks.{i}.ffn.{name}"]
        mixed = h + (self.ffn_prev[i] - h) * p("x_k")
        self.ffn_prev[i] = h
        k = np.maximum(p("key.weight") @ mixed, 0.0) ** 2
        if self.own:
            k = k * (h @ p("s1") @ self.own[i][token] @ p("s2") + p("s0").ravel())
        return p("value.weight") @ k


def bfloat16(values):
    bits = np.asarray(values, dtype="<f4").view("<u4")
    assert not np.any(bits & 0xFFFF), "a weight is not exact in bfloat16"
    return (bits >> 16).astype("<u2")


def checked(values, dtype):
    out = np.asarray(values).astype(dtype)
    assert np.array_equal(out.astype(np.float64), values), "a weight is not exact in this format"
    return out


def safetensors(w, dtype="F32"):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, values in w.items():
        raw = (checked(values, "<f4") if dtype == "F32" else bfloat16(values)).tobytes()
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def ggmf(w, dtype):
    """rwkv.cpp's format: fastest dimension first, low-rank pairs transposed, the six mixes in one tensor, vectors in f32."""
    code = {"<f4": 0, "<f2": 1}[dtype]
    out = struct.pack("<6I", 0x67676D66, 101, VOCAB, D, LAYERS, code)

    def record(name, shape, code, values, dtype):
        raw = name.encode()
        return struct.pack(f"<3I{len(shape)}I", len(shape), len(raw), code, *shape) + raw + checked(values, dtype).tobytes()

    for name, values in w.items():
        if ".att.x_" in name:
            if name.endswith("x_r"):
                block = name[: -len("x_r")]
                mixes = np.stack([w[block + "x_" + c] for c in "rwkvag"])
                out += record(block + "x_rwkvag", (D, 1, 6), 0, mixes, "<f4")
        elif values.ndim == 1:
            out += record(name, values.shape, 0, values, "<f4")
        else:
            low_rank = name[-2:] in {c + d for c in "wavg" for d in "12"}
            stored = values.T if low_rank else values
            out += record(name, stored.shape[::-1], code, np.ascontiguousarray(stored), dtype)
    return out


def pth(w):
    """What `torch.save` writes of a state dict in bfloat16. The classes stand in for PyTorch's, so that pickle names these."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    storage_class = type("BFloat16Storage", (), {"__module__": "torch"})
    torch.BFloat16Storage, torch._utils = storage_class, utils

    def _rebuild_tensor_v2():
        raise NotImplementedError

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    sys.modules["torch"], sys.modules["torch._utils"] = torch, utils

    class Storage:
        def __init__(self, key, n):
            self.key, self.n = key, n

    class Tensor:
        def __init__(self, key, values):
            self.storage, self.shape = Storage(key, values.size), values.shape

        def __reduce__(self):
            strides = tuple(int(np.prod(self.shape[i + 1 :])) for i in range(len(self.shape)))
            return _rebuild_tensor_v2, (self.storage, 0, self.shape, strides, False, collections.OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            if isinstance(obj, Storage):
                return ("storage", storage_class, obj.key, "cpu", obj.n)

    # official files have vectors as (1, 1, n)
    shaped = {n: v.reshape(1, 1, -1) if v.ndim == 1 and ".att." in n and ".ln_x" not in n else v for n, v in w.items()}
    tensors = {name: Tensor(str(i), values) for i, (name, values) in enumerate(shaped.items())}
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(tensors)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as z:
        put = lambda name, data: z.writestr(zipfile.ZipInfo("small/" + name, (1980, 1, 1, 0, 0, 0)), data)
        put("data.pkl", buffer.getvalue())
        put("byteorder", "little")
        for i, values in enumerate(shaped.values()):
            put(f"data/{i}", bfloat16(values).tobytes())
        put("version", "3\n")
    return archive.getvalue()


def expect(w, path):
    """Writes what the network of these weights gives."""
    network = Network(w)
    logits = [network.token(t) for t in TOKENS]
    number = lambda x: float(f"{x:.9g}")
    expected = {
        "tokens": TOKENS,
        "logits": [[number(x) for x in row] for row in logits],
        "S": [[number(x) for x in layer.ravel()] for layer in network.S],
        "att_x_prev": [[number(x) for x in row] for row in network.att_prev],
        "ffn_x_prev": [[number(x) for x in row] for row in network.ffn_prev],
    }
    lines = [f"{json.dumps(key)}: " + json.dumps(value).replace("], [", "],\n[") for key, value in expected.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    largest = f"largest logit {np.abs(logits).max():.3f}, largest state {np.abs(network.S).max():.3f}"
    print(f"{path.name}: {largest}", file=sys.stderr)


def main():
    default = Path(__file__).resolve().parent.parent / "golden-model/tests/fixtures"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    everything = make_weights(np.random.default_rng(7))
    unused = {"blocks.0.att.v0", "blocks.0.att.v1", "blocks.0.att.v2"}
    w = {name: values for name, values in everything.items() if name not in unused}
    deep = with_deep_embed(w, np.random.default_rng(8))
    expect(w, folder / "small.json")
    expect(deep, folder / "small-7a.json")
    (folder / "small-7a.safetensors").write_bytes(safetensors(deep, "BF16"))
    (folder / "small.safetensors").write_bytes(safetensors(w))
    (folder / "small-f32.bin").write_bytes(ggmf(w, "<f4"))
    (folder / "small-f16.bin").write_bytes(ggmf(w, "<f2"))
    (folder / "small.pth").write_bytes(pth(everything))


if __name__ == "__main__":
    main()
