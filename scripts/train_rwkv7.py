#!/usr/bin/env python3
"""Train a small byte-level RWKV-7 and write it as f16 .safetensors under the official tensor names.

    pip install jax optax safetensors
    scripts/train_rwkv7.py models/text/tinyshakespeare.txt models/shakespeare.safetensors

With --vocab other than 256, the text is a .npy file of token numbers below it, and bits are counted by the token. The last 5 % of the text is held out and never trained on. The recurrence runs in chunks of 16 tokens, as matrix
products, which on a CPU is several times faster than one scan step a token: with W_t the product of the decays up to
t inside the chunk, r W_t, -kk W_{t-1}, k / W_t and kk a / W_t turn the delta rule into a unit lower-triangular system
for sa (0.5452^16 = 6e-5, so f32 holds the quotients).
"""
import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file

ap = argparse.ArgumentParser()
ap.add_argument("text"), ap.add_argument("out")
for name, default in (("layers", 6), ("embd", 128), ("head", 32), ("ctx", 256), ("batch", 16), ("steps", 1800), ("seed", 0), ("vocab", 256)):
    ap.add_argument("--" + name, type=int, default=default)
ap.add_argument("--dropout", type=float, default=0.05)
ap.add_argument("--decay", type=float, default=0.1)
ap.add_argument("--rate", type=float, default=2.5e-3)
A = ap.parse_args()
L, D, N, T, B, V = A.layers, A.embd, A.head, A.ctx, A.batch, A.vocab
F, H = 4 * D, D // N
RANK = {"w": 32, "a": 32, "v": 16, "g": 64}
C = 16  # tokens in a chunk


def init(key):
    """Parameters by their official names; (out, in) matrices, (D, rank) and (rank, D) low-rank pairs."""
    keys = iter(jax.random.split(key, 64 * L + 8))
    p = {}

    def lin(o, i, s):
        return jax.random.normal(next(keys), (o, i)) * s / np.sqrt(i)

    p["emb.weight"] = jax.random.uniform(next(keys), (V, D), minval=-1e-2, maxval=1e-2)
    p["head.weight"] = lin(V, D, 0.5)
    for n in ("blocks.0.ln0", "ln_out"):
        p[n + ".weight"], p[n + ".bias"] = jnp.ones(D), jnp.zeros(D)
    ramp, z = jnp.arange(D) / D, jnp.arange(D) / (D - 1)
    for l in range(L):
        b, a, f = f"blocks.{l}.", f"blocks.{l}.att.", f"blocks.{l}.ffn."
        down, up = 1 - l / L, l / max(L - 1, 1)
        for n in ("ln1", "ln2"):
            p[b + n + ".weight"], p[b + n + ".bias"] = jnp.ones(D), jnp.zeros(D)
        for n, e in (("x_r", 0.2), ("x_w", 0.9), ("x_k", 0.7), ("x_v", 0.7), ("x_a", 0.9), ("x_g", 0.2)):
            p[a + n] = 1 - ramp ** (e * down)
        p[a + "w0"], p[a + "a0"] = -5.5 + 6 * z ** (1 + up ** 0.3), jnp.zeros(D)
        if l:
            p[a + "v0"] = jnp.full(D, 0.73)
        for n, r in RANK.items():
            if n != "v" or l:
                p[a + n + "1"], p[a + n + "2"] = jnp.zeros((D, r)), lin(r, D, 0.3)
        p[a + "k_k"], p[a + "k_a"], p[a + "r_k"] = jnp.full(D, 0.71), jnp.full(D, 1.02), jnp.full((H, N), -0.04)
        for n, s in (("receptance", 0.5), ("key", 0.1), ("value", 0.5)):
            p[a + n + ".weight"] = lin(D, D, s)
        p[a + "output.weight"] = jnp.zeros((D, D))
        p[a + "ln_x.weight"], p[a + "ln_x.bias"] = jnp.full(D, ((1 + l) / L) ** 0.7), jnp.zeros(D)
        p[f + "x_k"] = 1 - ramp ** (down ** 4)
        p[f + "key.weight"], p[f + "value.weight"] = lin(F, D, 0.7), jnp.zeros((D, F))
    return p


def norm(x, eps):
    c = x - x.mean(-1, keepdims=True)
    return c * jax.lax.rsqrt((c * c).mean(-1, keepdims=True) + eps)


def prev(x):
    return jnp.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1]


def wkv(r, log_w, k, v, a, b):
    """All (B, T, H, N); S <- S diag(w) + (S a) b^T + v k^T; returns y = S r, (B, T, H, N)."""
    chunks = lambda t: jnp.moveaxis(t.reshape(t.shape[0], T // C, C, H, N), (1, 3), (0, 2))  # (T/C, B, H, C, N)
    strict, incl = jnp.tril(jnp.ones((C, C)), -1), jnp.tril(jnp.ones((C, C)))

    @jax.checkpoint
    def step(S, z):  # S (B, H, N value, N key)
        r, lw, k, v, a, b = z
        cum = jnp.cumsum(lw, -2)
        r, a = r * jnp.exp(cum), a * jnp.exp(cum - lw)
        k, b = k * jnp.exp(-cum), b * jnp.exp(-cum)
        dot = lambda p, q, m: jnp.einsum("bhtn,bhsn->bhts", p, q) * m
        ab, ak, rb, rk = dot(a, b, strict), dot(a, k, strict), dot(r, b, incl), dot(r, k, incl)
        u = jnp.einsum("bhtn,bhin->bhti", a, S) + ak @ v
        power = ab
        for _ in range(4):  # (I - ab)^-1 u with ab nilpotent: (I + ab)(I + ab^2)(I + ab^4)(I + ab^8) u
            u = u + power @ u
            power = power @ power
        y = jnp.einsum("bhtn,bhin->bhti", r, S) + rk @ v + rb @ u
        S = S + jnp.einsum("bhti,bhtj->bhij", v, k) + jnp.einsum("bhti,bhtj->bhij", u, b)
        return S * jnp.exp(cum[..., -1:, :]), y

    S0 = jnp.zeros((r.shape[0], H, N, N))
    _, y = jax.lax.scan(step, S0, tuple(chunks(t) for t in (r, log_w, k, v, a, b)))
    return jnp.moveaxis(y, (0, 2), (1, 3)).reshape(-1, T, H, N)


def forward(p, tokens, key=None):
    """Logits (B, T, V). `key` switches dropout of the two residual branches on."""
    affine = lambda x, n: norm(x, 1e-5) * p[n + ".weight"] + p[n + ".bias"]
    heads = lambda t: t.reshape(*t.shape[:2], H, N)
    flat = lambda t: t.reshape(*t.shape[:2], D)
    keys = iter([None] * (2 * L) if key is None else jax.random.split(key, 2 * L))

    def drop(x):
        k = next(keys)
        if k is None:
            return x
        return x * jax.random.bernoulli(k, 1 - A.dropout, x.shape) / (1 - A.dropout)

    x, v_first = affine(p["emb.weight"][tokens], "blocks.0.ln0"), None
    for l in range(L):
        b = f"blocks.{l}."
        q = lambda n: p[b + "att." + n]
        h = affine(x, b + "ln1")
        d = prev(h) - h
        xr, xw, xk, xv, xa, xg = (h + d * q("x_" + n) for n in "rwkvag")
        r, k, v = xr @ q("receptance.weight").T, xk @ q("key.weight").T, xv @ q("value.weight").T
        log_w = -0.606531 * jax.nn.sigmoid(q("w0") + jnp.tanh(xw @ q("w1")) @ q("w2"))
        a = jax.nn.sigmoid(q("a0") + (xa @ q("a1")) @ q("a2"))
        g = jax.nn.sigmoid(xg @ q("g1")) @ q("g2")
        if l == 0:
            v_first = v
        else:
            v = v + (v_first - v) * jax.nn.sigmoid(q("v0") + (xv @ q("v1")) @ q("v2"))
        kk = heads(k * q("k_k"))
        kk = kk * jax.lax.rsqrt((kk * kk).sum(-1, keepdims=True) + 1e-12)
        k = k * (1 + (a - 1) * q("k_a"))
        y = wkv(heads(r), heads(log_w), heads(k), heads(v), -kk, kk * heads(a))
        y = flat(norm(y, 64e-5)) * q("ln_x.weight") + q("ln_x.bias")
        y = y + flat((heads(r) * heads(k) * q("r_k")).sum(-1, keepdims=True) * heads(v))
        x = x + drop((y * g) @ q("output.weight").T)
        h = affine(x, b + "ln2")
        xk = h + (prev(h) - h) * p[b + "ffn.x_k"]
        x = x + drop(jnp.square(jax.nn.relu(xk @ p[b + "ffn.key.weight"].T)) @ p[b + "ffn.value.weight"].T)
    return affine(x, "ln_out") @ p["head.weight"].T


def loss(p, seq, key=None):
    return optax.softmax_cross_entropy_with_integer_labels(forward(p, seq[:, :-1], key), seq[:, 1:]).mean()


def main():
    data = np.frombuffer(open(A.text, "rb").read(), np.uint8) if V == 256 else np.load(A.text)
    cut = int(len(data) * 0.95)
    train, held = data[:cut], data[cut:]
    rng = np.random.default_rng(A.seed)
    draw = lambda d: jnp.array(np.stack([d[i:i + T + 1] for i in rng.integers(0, len(d) - T - 1, B)]).astype(np.int32))
    val = [draw(held) for _ in range(8)]
    p = init(jax.random.PRNGKey(A.seed))
    matrices = lambda p: jax.tree.map(lambda x: x.ndim == 2 and min(x.shape) >= 100, p)
    rate = optax.warmup_cosine_decay_schedule(0, A.rate, 100, A.steps, A.rate / 25)
    opt = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, b2=0.99, weight_decay=A.decay, mask=matrices))
    state = opt.init(p)

    @jax.jit
    def update(p, state, seq, key):
        value, grad = jax.value_and_grad(loss)(p, seq, key if A.dropout else None)
        step, state = opt.update(grad, state, p)
        return optax.apply_updates(p, step), state, value

    score = jax.jit(loss)
    print("parameters", sum(x.size for x in p.values()), flush=True)
    start, key = time.time(), jax.random.PRNGKey(A.seed + 1)
    for s in range(A.steps):
        key, sub = jax.random.split(key)
        p, state, value = update(p, state, draw(train), sub)
        if s == 9:
            print(f"{(time.time() - start) / 10:.2f} s a step", flush=True)
        if s % 100 == 99 or s == A.steps - 1:
            bits = np.mean([float(score(p, v)) for v in val]) / np.log(2)
            print(f"step {s + 1} train {float(value):.3f} nats, held-out {bits:.3f} bits/{'byte' if V == 256 else 'token'}, {time.time() - start:.0f} s", flush=True)
            save_file({k: np.asarray(v, np.float16) for k, v in p.items()}, A.out)


if __name__ == "__main__":
    main()
