#!/usr/bin/env python3
"""Train a two-layer RWKV-7 to follow the running product of random group elements, exactly and without a length limit.

    python3 -m venv venv && venv/bin/pip install -r scripts/requirements-train.txt
    venv/bin/python scripts/train_state_tracking.py A5 models/track-a5.safetensors --log a5.csv

docs/state-tracking.md says why the network needs several tokens an element, what the two layers do, what is built and what is
learned. In short: the transition of one token has real eigenvalues in (-0.46, 1], so no token alone can permute what the state
holds; a word of `--ticks` tokens can. An element is its own token and then ticks - 1 clock tokens. Layer 0 holds the
element, layer 1 turns its state by it in steps of rank one, and those steps are what is learned. words() computes them
without the rest of the network, which makes training a hundred times faster; forward() is the whole network, and the test
at the end runs it.
"""
import argparse
import csv
import itertools
import os
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import load_file, save_file

D, N, L, F = 128, 32, 2, 128  # n_embd, head_size, layers, dim_ffn
H = D // N
RANK = {"w": 32, "a": 32, "v": 16, "g": 64}
# Coordinates of the residual stream: flags, three for the start tokens, three for the answer, one that is always 0 (a flag
# is read as its difference from it, so that the mean that layer norm takes off does not matter); the rest is learned.
ELEMENT, TICK, LAST, START, READ, ZERO, CODE = 0, 1, 2, 3, 6, 9, 10


def group(name):
    """Elements as permutations (tuples p, i -> p[i]) in lexicographic order, and their matrices of a faithful
    representation with matrix(p) @ matrix(q) == matrix(p then q)."""
    n = {"S3": 3, "A4": 4, "S4": 4, "A5": 5, "S5": 5}[name]
    odd = lambda p: sum(p[i] > p[j] for i in range(n) for j in range(i + 1, n)) % 2
    elements = [p for p in itertools.permutations(range(n)) if name[0] == "S" or not odd(p)]
    if name == "A5":
        return elements, icosahedral(elements)
    basis = np.linalg.qr(np.c_[np.ones(n), np.eye(n)[:, : n - 1]])[0][:, 1:]
    return elements, np.array([basis.T @ np.eye(n)[list(p)] @ basis for p in elements])


def then(p, q):
    """p first, q second."""
    return tuple(q[i] for i in p)


def icosahedral(elements):
    """The rotations of the icosahedron, matched to the permutations by two generators: a of order 2 and b of order 3
    with ab of order 5 present A5."""
    f = (1 + 5**0.5) / 2
    half = 0.5 * np.array([[1, -f, 1 / f], [f, 1 / f, -1], [1 / f, 1, f]])
    rotations, size = [np.eye(3)], 0
    while size != len(rotations):
        size = len(rotations)
        for g, s in itertools.product(list(rotations), (half, np.roll(np.eye(3), 1, 0))):
            if not any(np.allclose(g @ s, r) for r in rotations):
                rotations.append(g @ s)
    one = tuple(range(5))

    def order(x, product, unit):
        n, y = 1, x
        while not unit(y):
            n, y = n + 1, product(y, x)
        return n

    of_perm = lambda p: order(p, then, lambda y: y == one)
    of_rotation = lambda r: order(r, np.matmul, lambda y: np.allclose(y, np.eye(3)))
    pick = lambda xs, product, of: next((a, b) for a in xs for b in xs if of(a) == 2 and of(b) == 3 and of(product(a, b)) == 5)
    (a, b), (ra, rb) = pick(elements, then, of_perm), pick(rotations, np.matmul, of_rotation)
    matrix, todo = {one: np.eye(3)}, [one]
    while todo:
        p = todo.pop()
        for s, rs in ((a, ra), (b, rb)):
            if then(p, s) not in matrix:
                matrix[then(p, s)] = matrix[p] @ rs
                todo.append(then(p, s))
    return np.array([matrix[p] for p in elements])


def direction(matrices, seed=0):
    """A unit vector whose images under the group are far from each other."""
    rng, best = np.random.default_rng(seed), (2.0, None)
    for _ in range(4000):
        u = rng.normal(size=matrices.shape[1])
        u /= np.linalg.norm(u)
        cosines = np.sort(matrices @ u @ u)
        best = min(best, (cosines[-2], u), key=lambda b: b[0])
    return best[1]


class Task:
    def __init__(self, name, ticks):
        self.name, self.ticks = name, ticks
        self.elements, self.matrices = group(name)
        self.order, self.dim = self.matrices.shape[:2]
        index = {p: i for i, p in enumerate(self.elements)}
        self.table = np.array([[index[then(p, q)] for q in self.elements] for p in self.elements])
        self.vocab = self.order + ticks - 1 + self.dim  # elements, clock tokens, start tokens
        self.start = np.arange(self.vocab - self.dim, self.vocab)
        self.point = direction(self.matrices)

    def batch(self, rng, batch, length):
        """Tokens (batch, dim + length ticks) and classes (batch, length) after every element; batch 0: each element once."""
        x = rng.integers(0, self.order, (batch, length)) if batch else np.arange(self.order)[:, None]
        batch, length = x.shape
        classes, c = np.empty_like(x), np.full(batch, self.elements.index(tuple(range(len(self.elements[0])))))
        for t in range(length):
            c = classes[:, t] = self.table[c, x[:, t]]
        clock = np.broadcast_to(self.order + np.arange(self.ticks - 1), (batch, length, self.ticks - 1))
        words = np.concatenate([x[..., None], clock], -1).reshape(batch, -1)
        return np.concatenate([np.broadcast_to(self.start, (batch, self.dim)), words], 1).astype(np.int32), classes.astype(np.int32)


def init(task, seed):
    rng = np.random.default_rng(seed)
    p = {}
    rand = lambda *shape: rng.normal(size=shape)
    emb = np.zeros((task.vocab, D))
    emb[:, CODE:] = rand(task.vocab, D - CODE)
    emb[: task.order, ELEMENT] = 3
    emb[task.order :, TICK] = 3
    emb[task.order + task.ticks - 2 if task.ticks > 1 else slice(task.order), LAST] = 3
    for i, s in enumerate(task.start):
        emb[s, START + i] = 3
    p["emb.weight"] = emb
    head = np.zeros((task.vocab, D))
    head[: task.order, READ : READ + task.dim] = task.matrices @ task.point * 6
    p["head.weight"] = head
    for n in ("blocks.0.ln0", "ln_out"):
        p[n + ".weight"], p[n + ".bias"] = np.ones(D), np.zeros(D)
    values = np.linalg.qr(np.c_[np.ones(N), rand(N, task.dim)])[0][:, 1:]  # (N, dim): orthonormal, mean zero
    for l in range(L):
        b, a, f = f"blocks.{l}.", f"blocks.{l}.att.", f"blocks.{l}.ffn."
        for n in ("ln1", "ln2"):
            p[b + n + ".weight"], p[b + n + ".bias"] = np.ones(D), np.zeros(D)
        for n in "rwkvag":
            p[a + "x_" + n] = np.zeros(D)
        for n, r in RANK.items():
            if n != "v" or l:
                p[a + n + "1"], p[a + n + "2"] = np.zeros((D, r)), rand(r, D) * 0.5 / r**0.5
        p[a + "w2"] = np.zeros((RANK["w"], D))
        p[a + "w0"], p[a + "a0"] = np.full(D, -20.0), np.full(D, 20.0)
        p[a + "g1"], p[a + "g2"] = rand(D, RANK["g"]) / D**0.5 * 3, rand(RANK["g"], D) / 4
        p[a + "k_k"], p[a + "k_a"], p[a + "r_k"] = np.ones(D), np.zeros(D), np.zeros((H, N))
        p[a + "ln_x.weight"], p[a + "ln_x.bias"] = np.ones(D), np.zeros(D)
        m = {n: np.zeros((D, D)) for n in ("receptance", "key", "value", "output")}
        if l == 0:  # write the element at key 0 and read key 0; whatever else comes goes to key 1
            m["key"][0::N, ELEMENT], m["key"][1::N, TICK] = 1, 1
            m["receptance"][0::N, ELEMENT], m["receptance"][0::N, TICK] = 1, 1
            for n in ("key", "receptance"):
                m[n][:, ZERO] = -m[n].sum(1)
            m["value"][:, CODE:] = rand(D, D - CODE) / D**0.5
            m["output"][CODE:] = rand(D - CODE, D) / D**0.5
        else:  # only the start writes; one head follows the product
            p[a + "a0"], p[a + "v0"] = rand(D) * 4, np.full(D, -20.0)
            p[a + "a1"] = rand(D, RANK["a"]) / D**0.5
            m["key"][:, CODE:] = rand(D, D - CODE) / D**0.5
            m["value"][:N, START : START + task.dim] = values / 3
            m["value"][:N, ZERO] = -m["value"].sum(1)[:N]
            m["receptance"][:N, LAST] = rand(N)
            m["receptance"][:N, ZERO] = -m["receptance"][:N, LAST]
            m["output"][READ : READ + task.dim, :N] = values.T
            p[a + "g1"][:], p[a + "g2"][:] = 0, 2 / RANK["g"]  # a gate of one
        for n, x in m.items():
            p[a + n + ".weight"] = x
        p[f + "x_k"] = np.zeros(D)
        p[f + "key.weight"], p[f + "value.weight"] = rand(F, D) * 0.7 / D**0.5, np.zeros((D, F))
    return {k: jnp.asarray(v, jnp.float32) for k, v in p.items()}


def learned(p):
    """1 where a parameter is learned, 0 where it stays as it was built: see docs/state-tracking.md."""
    first = ("value.weight", "output.weight", "g1", "g2", "ln_x.weight", "ln_x.bias")
    second = ("key.weight", "a0", "a1", "a2", "k_k")
    names = {"emb.weight"} | {"blocks.0.att." + n for n in first} | {"blocks.1.att." + n for n in second}
    mask = {n: np.full(w.shape, float(n in names), np.float32) for n, w in p.items()}
    mask["emb.weight"][:, :CODE] = 0
    mask["blocks.0.att.output.weight"][:CODE] = 0
    return mask


def norm(x, eps):
    c = x - x.mean(-1, keepdims=True)
    return c * jax.lax.rsqrt((c * c).mean(-1, keepdims=True) + eps)


def prev(x, last):
    return jnp.concatenate([last[:, None], x[:, :-1]], 1)


def wkv(S, r, w, k, v, a, b, states):
    """All (B, T, H, N); S <- S diag(w) + (S a) b^T + v k^T; y = S r. Returns S, y and the states of head 0 when asked."""

    def step(S, z):
        r, w, k, v, a, b = z
        sa = jnp.einsum("bhij,bhj->bhi", S, a)
        S = S * w[:, :, None] + sa[..., None] * b[:, :, None] + v[..., None] * k[:, :, None]
        return S, (jnp.einsum("bhij,bhj->bhi", S, r), S[:, 0] if states else None)

    S, (y, all_s) = jax.lax.scan(step, S, tuple(jnp.moveaxis(t, 1, 0) for t in (r, w, k, v, a, b)))
    return S, jnp.moveaxis(y, 0, 1), jnp.moveaxis(all_s, 0, 1) if states else None


def zero_state(batch):
    z = jnp.zeros((batch, D))
    return [(z, jnp.zeros((batch, H, N, N)), z) for _ in range(L)]


def forward(p, tokens, state, states=False):
    """Logits (B, T, V), the state after the last token, and layer 1's head 0 after every token when `states`."""
    affine = lambda x, n: norm(x, 1e-5) * p[n + ".weight"] + p[n + ".bias"]
    heads = lambda t: t.reshape(*t.shape[:2], H, N)
    flat = lambda t: t.reshape(*t.shape[:2], D)
    x, v_first, new = affine(p["emb.weight"][tokens], "blocks.0.ln0"), None, []
    for l in range(L):
        b = f"blocks.{l}."
        q = lambda n: p[b + "att." + n]
        att_prev, S, ffn_prev = state[l]
        h = affine(x, b + "ln1")
        d = prev(h, att_prev) - h
        xr, xw, xk, xv, xa, xg = (h + d * q("x_" + n) for n in "rwkvag")
        r, k, v = xr @ q("receptance.weight").T, xk @ q("key.weight").T, xv @ q("value.weight").T
        w = jnp.exp(-0.606531 * jax.nn.sigmoid(q("w0") + jnp.tanh(xw @ q("w1")) @ q("w2")))
        a = jax.nn.sigmoid(q("a0") + (xa @ q("a1")) @ q("a2"))
        g = jax.nn.sigmoid(xg @ q("g1")) @ q("g2")
        if l == 0:
            v_first = v
        else:
            v = v + (v_first - v) * jax.nn.sigmoid(q("v0") + (xv @ q("v1")) @ q("v2"))
        kk = heads(k * q("k_k"))
        kk = kk * jax.lax.rsqrt((kk * kk).sum(-1, keepdims=True) + 1e-12)
        k = k * (1 + (a - 1) * q("k_a"))
        S, y, trace = wkv(S, heads(r), heads(w), heads(k), heads(v), -kk, kk * heads(a), states and l == L - 1)
        y = flat(norm(y, 64e-5)) * q("ln_x.weight") + q("ln_x.bias")
        y = y + flat((heads(r) * heads(k) * q("r_k")).sum(-1, keepdims=True) * heads(v))
        x = x + (y * g) @ q("output.weight").T
        h2 = affine(x, b + "ln2")
        xk = h2 + (prev(h2, ffn_prev) - h2) * p[b + "ffn.x_k"]
        x = x + jnp.square(jax.nn.relu(xk @ p[b + "ffn.key.weight"].T)) @ p[b + "ffn.value.weight"].T
        new.append((h[:, -1], S, h2[:, -1]))
    return affine(x, "ln_out") @ p["head.weight"].T, new, trace


def large(name):
    """The matrices that the quantiser gives 8 bits, or 4."""
    return name.endswith(("key.weight", "value.weight", "receptance.weight", "output.weight", "head.weight"))


def twelve_bits(x):
    """x to the 12 significant bits of a row's scale."""
    unit = 2.0 ** (np.floor(np.log2(np.maximum(x, 1e-30))) - 11)
    return np.round(x / unit) * unit


def on_grid(name, w, bits):
    """A large matrix as the quantiser would store it, so that storing it loses nothing more (docs/quantisation.md)."""
    w = np.asarray(w, np.float64)
    top = np.abs(w).max(1, keepdims=True) + 1e-30
    if bits == 8 or name.endswith("ffn.value.weight"):
        step = twelve_bits(top / 127)
        return np.clip(np.round(w / step), -127, 127) * step
    step = twelve_bits(top / (7 * 224))
    groups = w.reshape(len(w), -1, 32)
    step = step[..., None] * np.maximum(np.round(np.abs(groups).max(2, keepdims=True) / (7 * step[..., None])), 1)
    return (np.clip(np.round(groups / step), -7, 7) * step).reshape(w.shape)


def words(p, task):
    """What layer 1's head 0 does at the start and at each of the `order * ticks` tokens a word can have. This is forward() without
    what is known beforehand: layer 0 holds exactly the element, its channel mix adds nothing, layer 1 writes at the start only.

    Returns kk, a and the key (before normalisation) of the start tokens (dim, N), kk and a of the words (order, ticks, N)."""
    q = lambda n: p["blocks.0.att." + n]
    x = norm(p["emb.weight"], 1e-5)
    h = norm(x, 1e-5)  # ln0 and ln1 have gain 1 and bias 0
    n = task.order
    flag = lambda i: h[:, i] - h[:, ZERO]
    v = (h[:n] @ q("value.weight").T) * flag(ELEMENT)[:n, None]  # (order, D)
    clock = slice(n, n + task.ticks - 1)
    gate = jax.nn.sigmoid(h @ q("g1")) @ q("g2")

    def second(x, y, gate):  # input of layer 1's projections; x, y and gate (..., D)
        y = norm(y.reshape(*y.shape[:-1], H, N), 64e-5).reshape(y.shape) * q("ln_x.weight") + q("ln_x.bias")
        return norm(x + (y * gate) @ q("output.weight").T, 1e-5)

    ones = second(x[:n], v * flag(ELEMENT)[:n, None], gate[:n])[:, None]  # (order, 1, D)
    rest = second(x[None, clock], v[:, None] * flag(TICK)[None, clock, None], gate[None, clock])  # (order, ticks - 1, D)
    begin = second(x[task.start], jnp.zeros((task.dim, D)), gate[task.start])

    def move(h):
        q = lambda n: p["blocks.1.att." + n]
        k = h @ q("key.weight")[:N].T
        kk = k * q("k_k")[:N]
        kk = kk * jax.lax.rsqrt((kk * kk).sum(-1, keepdims=True) + 1e-12)
        return kk, jax.nn.sigmoid(q("a0")[:N] + (h @ q("a1")) @ q("a2")[:, :N]), k

    return move(begin), move(jnp.concatenate([ones, rest], 1))[:2], (begin[:, START : START + task.dim] - begin[:, ZERO, None]) / 3


def objective(p, task, read):
    """How far the state after each element is from the state before, turned by the element's matrix; that the start writes orthonormal
    columns; that reading them gives the point the head knows."""
    (skk, sa, sk), (kk, a), flags = words(p, task)
    code = jnp.zeros((task.dim, N))
    for i in range(task.dim):
        code = code - (code @ skk[i])[:, None] * (skk[i] * sa[i]) + flags[i][:, None] * sk[i]
    S = jnp.broadcast_to(code, (task.order, task.dim, N))
    for j in range(task.ticks):
        S = S - jnp.einsum("gdn,gn->gd", S, kk[:, j])[..., None] * (kk[:, j] * a[:, j])[:, None]
    target = jnp.asarray(task.matrices, jnp.float32) @ code
    turn = ((S - target) ** 2).sum((1, 2)) / task.dim
    gram = ((code @ code.T - jnp.eye(task.dim)) ** 2).sum()
    seen = S @ read
    seen = seen / jnp.linalg.norm(seen, axis=-1, keepdims=True)
    points = jnp.asarray(task.matrices @ task.point, jnp.float32)
    right = ((seen @ points.T).argmax(-1) == jnp.arange(task.order)).mean()
    aim = ((seen - points) ** 2).sum(-1).mean()
    return turn.mean() + 0.1 * gram + 0.1 * aim, (aim, turn.mean(), turn.max(), right)


def accuracy(p, task, rng, batch, length):
    """Share of right classes over all positions and at the last one, run in pieces."""
    tokens, classes = task.batch(rng, batch, length)
    piece = jax.jit(lambda p, t, s: forward(p, t, s)[:2])
    _, state = piece(p, tokens[:, : task.dim], zero_state(batch))
    right, words = [], 8
    for t in range(0, length, words):
        i, j = task.dim + t * task.ticks, task.dim + (t + words) * task.ticks
        logits, state = piece(p, tokens[:, i:j], state)
        right.append(logits[:, task.ticks - 1 :: task.ticks, : task.order].argmax(-1) == classes[:, t : t + words])
    right = np.concatenate(right, 1)
    return float(right.mean()), float(right[:, -1].mean())


def save(path, p, task, length):
    metadata = {"group": task.name, "ticks": str(task.ticks), "length": str(length)}
    save_file({k: np.asarray(v, np.float32) for k, v in p.items()}, path + ".part", metadata)
    os.replace(path + ".part", path)


def train(p, task, steps, rate, mask, A, rows, phase):
    """Adam; the rate falls along a cosine. Returns the parameters."""
    schedule = optax.warmup_cosine_decay_schedule(0, rate, 50, steps, rate / 1000)
    opt = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule, b2=0.99))
    state = opt.init(p)
    read = p["blocks.1.att.receptance.weight"][:N, LAST]

    @jax.jit
    def update(p, state):
        grad, aux = jax.grad(objective, has_aux=True)(p, task, read)
        step, state = opt.update({n: g * mask[n] for n, g in grad.items()}, state, p)
        return optax.apply_updates(p, step), state, aux

    begin = time.time()
    for s in range(steps):
        p, state, (aim, turn, worst, right) = update(p, state)
        if s % 25 == 24 or s == 0:
            row = (phase, s + 1, round(time.time() - begin, 1), float(aim), float(turn), float(worst), float(right))
            rows(row)
            if s % 200 == 199 or s == 0:
                print("phase %d step %d  %.0f s  aim %.2e  state error %.2e, worst %.2e  right %.4f" % row, flush=True)
    save(A.out, p, task, 1)
    return p


def picture(csv_path, svg_path, title):
    """The curve of a training: state error (logarithmic) and accuracy over the steps of both phases, as an SVG."""
    with open(csv_path) as f:
        rows = [{k: float(v) for k, v in r.items()} for r in csv.DictReader(f)]
    first = max((r["step"] for r in rows if r["phase"] == 1), default=0)
    at = [r["step"] + (first if r["phase"] == 2 else 0) for r in rows]
    low, high = -8, 2  # powers of ten
    x = lambda s: 70 + 700 * s / max(at)
    y = lambda e: 30 + 300 * (high - np.clip(np.log10(max(e, 1e-12)), low, high)) / (high - low)
    line = lambda ys, colour: f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="' + " ".join(
        f"{x(s):.1f},{v:.1f}" for s, v in zip(at, ys)) + '"/>'
    text = lambda a, b, t, anchor="middle", colour="#5a5d63": (
        f'<text x="{a}" y="{b}" font-family="sans-serif" font-size="12" text-anchor="{anchor}" fill="{colour}">{t}</text>')
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 380"><rect width="840" height="380" fill="#fcfcfb"/>']
    for e in range(low, high + 1, 2):
        parts += [f'<path d="M70 {y(10.0**e)}H770" stroke="#deddd8"/>', text(64, y(10.0**e) + 4, f"1e{e}", "end")]
    for share in (0, 25, 50, 75, 100):
        parts.append(text(776, 334 - 3 * share, f"{share} %", "start"))
    for s in np.linspace(0, max(at), 7):
        parts.append(text(x(s), 348, f"{s:.0f}"))
    if 0 < first < max(at):
        parts += [f'<path d="M{x(first)} 30V330" stroke="#5a5d63"/>', text(x(first) + 4, 42, "matrices on the grid", "start")]
    parts += [line([y(r["state_error"]) for r in rows], "#2a78d6"), line([330 - 300 * r["accuracy"] for r in rows], "#eb6834")]
    parts += [text(420, 370, "steps"), text(420, 18, title), text(70, 18, "state error", "start", "#2a78d6"),
              text(770, 18, "right answers", "end", "#eb6834"), "</svg>"]
    with open(svg_path, "w") as f:
        f.write("\n".join(parts) + "\n")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("group", choices=("S3", "A4", "S4", "A5", "S5")), ap.add_argument("out")
    for name, default, text in (
        ("ticks", 16, "tokens an element"), ("steps", 4000, "of everything that is learned"),
        ("settle", 4000, "with the large matrices on the quantiser's grid and held"), ("bits", 8, "of that grid"),
        ("seed", 0, "of the weights"), ("test", 16, "sequences of the test"),
    ):
        ap.add_argument("--" + name, type=int, default=default, help=text)
    ap.add_argument("--rate", type=float, default=1e-2)
    ap.add_argument("--settle-rate", type=float, default=5e-3)
    ap.add_argument("--load", help="start from this checkpoint")
    ap.add_argument("--log", help="CSV of the curve; its picture goes beside it")
    A = ap.parse_args()
    task = Task(A.group, A.ticks)
    p = init(task, A.seed)
    if A.load:
        p = {k: jnp.asarray(v, jnp.float32) for k, v in load_file(A.load).items()}
    mask = learned(p)
    print(f"{task.name}: {task.order} elements, {task.vocab} tokens, {sum(x.size for x in p.values())} parameters, "
          f"{int(sum(m.sum() for m in mask.values()))} of them learned", flush=True)
    log = open(A.log, "w", newline="") if A.log else None

    def rows(row):
        if log:
            csv.writer(log).writerow(row)
            log.flush()

    rows(("phase", "step", "seconds", "aim", "state_error", "worst", "accuracy"))
    if A.steps:
        p = train(p, task, A.steps, A.rate, mask, A, rows, 1)
    if A.settle:
        p = {k: jnp.asarray(on_grid(k, w, A.bits), jnp.float32) if large(k) else w for k, w in p.items()}
        mask = {n: m * (not large(n)) for n, m in mask.items()}
        p = train(p, task, A.settle, A.settle_rate, mask, A, rows, 2)
    save(A.out, p, task, 1)
    if log:
        picture(A.log, os.path.splitext(A.log)[0] + ".svg", f"{task.name}, {task.ticks} tokens an element")
    for n in (8, 64, 256) if A.test else ():  # the whole network, forward(), on sequences
        print("length %d: %.5f of all answers, %.5f of the last" % (n, *accuracy(p, task, np.random.default_rng(99), A.test, n)), flush=True)


if __name__ == "__main__":
    main()
