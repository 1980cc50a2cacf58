#!/usr/bin/env python3
"""Draws the pictures of docs/ as SVG files beside this script: docs/pictures/draw.py"""
import json

from svg import BACK, INK, ROOT, RULE, SOFT, SURFACE, Svg, fill, text_on, tint


def chip():
    s = Svg(960, 430, "The chip", "Memory, stream reader, matrix unit, vector unit, recurrence, vector memory, programs and host, and what passes between them.")
    s.rect(20, 40, 120, 290, BACK, RULE)
    s.lines(80, 75, ["external", "memory"], 14, INK, "middle")
    s.lines(80, 140, ["weights, in", "the order", "of their use", "", "parameters", "", "state, if the", "configuration", "keeps it there"], 12, SOFT, "middle")
    s.rect(170, 20, 770, 390, SURFACE, RULE, 8)
    s.text(184, 40, "anser_top", 14, INK, bold=True)
    s.solid(200, 130, 120, 110, "dma", "dma", ["stream reader", "long AXI4 bursts"])
    s.arrow([(140, 185), (198, 185)], "AXI4", (168, 176))
    s.box(360, 75, 100, 50, "dma", "weight fifo")
    s.box(360, 230, 100, 50, "dma", "parameter", ["fifo"])
    s.arrow([(320, 155), (340, 155), (340, 100), (358, 100)])
    s.arrow([(320, 215), (340, 215), (340, 255), (358, 255)])
    s.solid(510, 60, 150, 80, "mat", "mat", ["matrix × vector", "16 lanes or 64"])
    s.solid(510, 215, 150, 80, "vec", "vec", ["element by element,", "norms, tables"])
    s.solid(510, 325, 150, 70, "wkv", "wkv", ["the delta rule,", "the state S"])
    s.solid(760, 130, 150, 110, "vmem", "vmem", ["every vector,", "27 bits an element"])
    s.arrow([(460, 100), (508, 100)], "weights", (484, 92))
    s.arrow([(460, 255), (508, 255)], "p", (484, 247))
    s.arrow([(660, 85), (835, 85), (835, 128)], "rows of the result", (748, 77))
    s.arrow([(660, 240), (700, 240), (700, 200), (758, 200)], "words", (730, 192), both=True)
    s.arrow([(585, 213), (585, 142)], ["16-bit operands", "(xmem)"], (594, 175), "start")
    s.arrow([(560, 297), (560, 323)], "operands", (566, 314), "start")
    s.arrow([(660, 360), (835, 360), (835, 242)], "y", (748, 352))
    s.box(200, 275, 120, 55, "program", "4 programs", ["one a unit"])
    s.box(200, 345, 120, 45, "rest", "registers")
    s.arrow([(640, 58), (640, 32), (958, 32)], "logits (AXI4-Stream); argmax to a register", (800, 50), colour=SOFT)
    s.arrow([(200, 368), (160, 368), (160, 395), (80, 395)], None, both=True)
    s.lines(20, 380, ["host (AXI4-Lite)"], 12, INK)
    s.lines(340, 350, ["The host writes a token", "number and reads the", "next one."], 12, SOFT)
    s.save("chip.svg")


def layer():
    """RWKV-7's layer; the formulas are docs/rwkv7-primer.md's."""
    s = Svg(980, 930, "One layer of RWKV-7", "Time mix and channel mix of one layer as boxes, each in the colour of the unit that computes it.")
    s.legend(20, 24, [("mat", "matrix unit: weights from memory"), ("vec", "vector unit: element by element, norms, tables"), ("wkv", "recurrence: the state S"), ("vmem", "vector memory")])
    mid = 440
    s.text(mid, 58, "x, the residual stream (n_embd)", 13, INK, "middle", bold=True)
    s.arrow([(mid, 64), (mid, 84)])
    s.text(20, 98, "TIME MIX", 13, SOFT, bold=True)
    s.solid(330, 86, 220, 34, "vec", "layer norm ln1 → h")
    s.box(700, 70, 230, 50, "vmem", "att_x_prev", ["h of the token before; becomes h"])
    s.arrow([(mid, 120), (mid, 146)])
    s.arrow([(815, 120), (815, 163), (752, 163)])
    s.solid(130, 148, 620, 32, "vec", "token shift: six mixes of h and att_x_prev, by x_r, x_w, x_k, x_v, x_a, x_g")
    cols = [
        (82, "r", [("mat", "receptance")]),
        (225, "w: decay", [("mat", "w1"), ("vec", "tanh"), ("mat", "w2"), ("vec", "+ w0, decay")]),
        (375, "k", [("mat", "key")]),
        (525, "v", [("mat", "value, v1, v2"), ("vec", "mix v_first")]),
        (675, "a: learning rate", [("mat", "a1"), ("mat", "a2"), ("vec", "+ a0, sigmoid")]),
        (855, "g: gate", [("mat", "g1"), ("vec", "sigmoid"), ("mat", "g2")]),
    ]
    bottom = 388
    for x, name, boxes in cols:
        s.arrow([(min(max(x, 150), 730), 180), (min(max(x, 150), 730), 192), (x, 192), (x, 206)])
        y = 208
        for i, (unit, words) in enumerate(boxes):
            s.solid(x - 62, y, 124, 30, unit, words)
            if i + 1 < len(boxes):
                s.arrow([(x, y + 30), (x, y + 42)])
            y += 43
        s.arrow([(x, y - 13), (x, bottom)], None)
        s.text(x + 6, bottom - 8, name, 12, INK, bold=True)
    s.solid(300, 390, 450, 46, "vec", "kk = k · k_k, made length 1 per head; b = kk · a", ["k = k · (1 + (a − 1) · k_a)"])
    s.arrow([(82, 388), (82, 466), (148, 466)])
    s.arrow([(225, 388), (225, 452)])
    s.arrow([(525, 436), (525, 452)])
    s.solid(150, 454, 600, 74, "wkv", "for each head: sa = −S kk, S ← S · diag(w) + sa bᵀ + v kᵀ, y = S r", ["S is head_size × head_size numbers a head; each is read once and written once a token"])
    s.box(800, 460, 150, 62, "wkv", "S of this layer", ["n_head × head_size²"])
    s.arrow([(750, 491), (798, 491)], both=True)
    s.arrow([(mid, 528), (mid, 544)])
    s.solid(300, 546, 280, 30, "vec", "group norm ln_x, one group a head")
    s.arrow([(mid, 576), (mid, 588)])
    s.solid(270, 590, 340, 30, "vec", "+ bonus: (Σ r · k · r_k, one a head) · v")
    s.arrow([(mid, 620), (mid, 632)])
    s.solid(300, 634, 280, 30, "vec", "· g")
    s.arrow([(965, 388), (965, 649), (582, 649)], dash="4 3")
    s.arrow([(855, 388), (965, 388)], dash="4 3")
    s.arrow([(mid, 664), (mid, 676)])
    s.solid(300, 678, 280, 30, "mat", "output")
    s.solid(640, 678, 110, 30, "vec", "x + …")
    s.arrow([(580, 693), (638, 693)])
    s.arrow([(320, 54), (12, 54), (12, 725), (695, 725), (695, 710)], "x itself passes by", (60, 718), "start", dash="4 3")
    s.parts.append(f'<line x1="20" y1="738" x2="960" y2="738" stroke="{RULE}"/>')
    s.text(60, 772, "CHANNEL MIX", 13, SOFT, bold=True)
    y = 780
    steps = [("vec", "ln2", 70), ("vec", "token shift", 110), ("mat", "key  (n_embd → dim_ffn)", 190), ("vec", "relu²", 80), ("mat", "value  (dim_ffn → n_embd)", 200), ("vec", "x + …", 80)]
    x = 60
    for i, (unit, words, w) in enumerate(steps):
        s.solid(x, y, w, 38, unit, words)
        if i + 1 < len(steps):
            s.arrow([(x + w, y + 19), (x + w + 26, y + 19)])
        x += w + 28
    s.arrow([(750, 693), (780, 693), (780, 752), (40, 752), (40, 799), (58, 799)], "x", (792, 716), "start")
    s.box(150, 850, 130, 34, "vmem", "ffn_x_prev")
    s.arrow([(215, 850), (215, 820)], both=True)
    s.lines(470, 850, ["After relu² most numbers are exactly 0: the columns of value", "that meet them need not be read (--skip-columns)."], 12, SOFT)
    s.arrow([(922 - 42, 818), (880, 910)], "to the next layer", (870, 908), "end")
    s.save("layer.svg")


def stream():
    s = Svg(980, 560, "The bytes of the weight stream", "A matrix of 8-bit weights as it lies in memory: scale units, tiles, groups; and how beats of 16 and of 64 bytes cut the same bytes.")
    s.text(20, 28, "A matrix of 8-bit weights (format W8) in memory, in the order it is read", 15, INK, bold=True)
    blocks = [("scales of rows 0–31", 140, "dma", "64 bytes"), ("tile 0: rows 0–15", 220, "mat", "16 · cols bytes"), ("tile 1: rows 16–31", 220, "mat", "16 · cols bytes"), ("scales of rows 32–63", 150, "dma", "64 bytes"), ("tile 2: rows 32–47", 170, "mat", "…")]
    x = 20
    for name, w, unit, size in blocks:
        s.rect(x, 46, w - 2, 46, tint(unit, 0.35), fill(unit))
        s.text(x + w / 2, 66, name, 12, INK, "middle", bold=True)
        s.text(x + w / 2, 83, size, 11, SOFT, "middle")
        x += w
    s.text(20, 128, "One scale: 16 bits", 12, INK, bold=True)
    s.rect(20, 138, 70, 28, tint("dma", 0.6), fill("dma"))
    s.rect(90, 138, 180, 28, tint("dma", 0.3), fill("dma"))
    s.text(55, 157, "e  15:12", 12, INK, "middle")
    s.text(180, 157, "m  11:0  (0, or 2048…4095)", 12, INK, "middle")
    s.text(284, 157, "the row’s weights are  byte · m · 2^(−frac − e)", 12, SOFT)
    s.arrow([(85, 94), (85, 112)])
    s.text(20, 205, "A tile: one group of 16 bytes a column; byte r belongs to row r of the tile", 12, INK, bold=True)
    gx, gy, cw, ch = 150, 222, 58, 13
    for c in range(8):
        for r in range(16):
            shade = 0.15 + 0.11 * (c % 4)
            s.rect(gx + c * cw, gy + r * ch, cw - 4, ch - 2, tint("mat", shade), radius=1)
        s.text(gx + c * cw + 27, gy + 16 * ch + 14, f"col {c}", 11, SOFT, "middle")
    for r in (0, 1, 2, 15):
        s.text(gx - 8, gy + r * ch + 10, f"row {r}", 10, SOFT, "end")
    s.text(gx - 8, gy + 8 * ch + 10, "⋮", 12, SOFT, "end")
    s.lines(640, 240, ["Lane r of the matrix unit multiplies", "byte r of each group by the operand", "of the group’s column and adds it to", "its sum. After the tile’s last column", "sixteen rows of the result are ready."], 12, SOFT)
    s.arrow([(330, 94), (330, 120), (600, 120), (600, 201), (525, 201)])
    y = 480
    s.text(20, y - 6, "nano, 128 bits a beat: one group a beat", 12, INK, bold=True)
    for c in range(8):
        s.rect(330 + c * 76, y - 22, 72, 22, tint("mat", 0.15 + 0.11 * (c % 4)), fill("mat"))
        s.text(330 + c * 76 + 36, y - 6, f"col {c}", 11, INK, "middle")
    y = 524
    s.text(20, y - 6, "wide, edge, 512 bits a beat: four groups", 12, INK, bold=True)
    for b in range(2):
        s.rect(330 + b * 304 - 2, y - 24, 304 - 0, 26, "none", fill("mat"))
        for c in range(4):
            s.rect(330 + b * 304 + c * 76, y - 22, 72, 22, tint("mat", 0.15 + 0.11 * (c % 4)))
            s.text(330 + b * 304 + c * 76 + 36, y - 6, f"col {4 * b + c}", 11, INK, "middle")
    s.text(330, 548, "The bytes are the same for every bus width: one image serves every configuration.", 12, SOFT)
    s.save("stream.svg")


def round_half_even(x, shift):
    """`round(x, s)` of docs/integer-step.md."""
    if shift == 0:
        return x
    low, rest, half = x >> shift, x & ((1 << shift) - 1), 1 << (shift - 1)
    return low + (1 if rest > half or (rest == half and low & 1) else 0)


def number():
    """A worked example: a vector of four elements, a row of four weights. The arithmetic is done here, not typed."""
    v, f_x = [1234567, -301001, 77, 2000000], 20
    w, m, e_row, frac, f_y = [57, -128, 99, 12], 3001, 3, 18, 19
    length = max(abs(x) if x >= 0 else -x - 1 for x in v).bit_length()
    s_op = max(0, length - 15)
    q = [max(-32768, min(32767, round_half_even(x, s_op))) for x in v]
    acc = sum(a * b for a, b in zip(w, q))
    shift = max(0, f_x + frac - f_y + e_row - s_op)
    y = max(-(1 << 26), min((1 << 26) - 1, round_half_even(acc * m, shift)))
    true = sum(a * b for a, b in zip(w, v)) * m * 2.0 ** (-frac - e_row - f_x)
    n = lambda x: f"{x:,}".replace("-", "−")
    s = Svg(980, 500, "A number's journey", "A vector of 27-bit elements becomes 16-bit mantissas with one exponent, is multiplied and summed exactly, scaled and rounded to 27 bits.")
    s.text(20, 28, "From 27 bits to 27 bits: one row of a matrix", 15, INK, bold=True)
    s.legend(400, 28, [("vmem", "vmem"), ("vec", "vec"), ("mat", "mat"), ("dma", "from memory")])
    s.box(20, 50, 200, 106, "vmem", "x: 27-bit elements", [f"{n(a)}" for a in v] + [f"frac_bits f_x = {f_x}"], 12)
    s.arrow([(220, 103), (268, 103)])
    s.box(270, 50, 250, 106, "vec", "largest magnitude", ["L = its significant bits", f"here {n(max(v))}: L = {length}", f"exponent s = max(0, L − 15) = {s_op}", "one s for the whole vector"], 12)
    s.arrow([(520, 103), (568, 103)])
    s.box(570, 50, 390, 106, "vec", "mantissas: q = clip₁₆(round(x, s))", [", ".join(n(a) for a in q), f"value = q · 2^{s_op} · 2^−{f_x}", "16 bits each, into xmem; s into xexp"], 12)
    s.arrow([(765, 156), (765, 196)])
    s.box(20, 200, 250, 106, "dma", "weights of the row", [", ".join(n(a) for a in w) + "   (8 bits)", f"scale m = {m:,}, e = {e_row}", f"frac = {frac}"], 12)
    s.box(570, 200, 390, 106, "mat", "lane: acc = Σ weight · q, exact", [f"acc = {n(acc)}", "wide enough never to wrap", "(8 × 16 bits: 24 bits a product, and log₂ cols)"], 12)
    s.arrow([(270, 253), (568, 253)], "16 rows at a time", (420, 245))
    s.arrow([(765, 306), (765, 346)])
    s.box(570, 350, 390, 106, "mat", "drain: y = sat₂₇(round(acc · m, shift))", [f"shift = f_x + frac − f_y + e − s = {f_x} + {frac} − {f_y} + {e_row} − {s_op} = {shift}", f"acc · m = {n(acc * m)}", "the only rounding after the operand’s"], 12)
    s.arrow([(570, 403), (272, 403)])
    s.box(20, 350, 250, 106, "vmem", "y: a 27-bit element", [n(y), f"frac_bits f_y = {f_y}", f"stands for {y * 2.0 ** -f_y:.6f}".replace("-", "−"), f"without any rounding {true:.6f}".replace("-", "−")], 12)
    s.text(20, 486, "round(x, s) = x / 2^s to nearest, ties to even;  clip₁₆, sat₂₇ = to the two’s-complement range, uncounted and counted.  Example by docs/pictures/draw.py.", 12, SOFT)
    s.save("number.svg")


def mat():
    s = Svg(960, 380, "The matrix unit", "Weight beats enter lanes with operands from xmem; sums go to the drain, which scales, rounds and writes rows.")
    s.frame(170, 20, 620, 340, "mat", "mat: a beat of weights a cycle")
    s.box(20, 130, 110, 60, "dma", "weight fifo", ["1 beat a cycle"])
    s.box(20, 280, 110, 60, "rest", "xmem, xexp", ["16-bit operands"])
    s.box(200, 50, 130, 54, "mat", "mat_scales", ["m and e of each row"])
    s.box(200, 280, 130, 60, "mat", "mat_operands", ["operand of the", "group’s column"])
    s.box(390, 120, 160, 130, "mat", "lanes", ["16 a group", "nano 1 group, edge 4", "byte × operand,", "exact sum a row"])
    s.box(390, 290, 160, 50, "mat", "mat_control", ["beats, tiles, hand-over"])
    s.box(610, 120, 160, 130, "mat", "mat_drain", ["a row a cycle:", "adds the groups,", "× m, one rounding,", "saturates to 27 bits"])
    s.box(610, 290, 160, 50, "mat", "mat_output", ["16 rows of room"])
    s.box(840, 240, 100, 60, "vmem", "vmem", ["one element", "a cycle"], 11)
    s.box(840, 315, 100, 50, "rest", "argmax,", ["logits stream"])
    s.arrow([(130, 160), (160, 160), (160, 77), (198, 77)])
    s.arrow([(130, 160), (388, 160)], "weights", (260, 152))
    s.arrow([(130, 310), (198, 310)])
    s.arrow([(330, 310), (358, 310), (358, 210), (388, 210)])
    s.arrow([(470, 290), (470, 252)])
    s.arrow([(550, 185), (608, 185)], ["finished", "sums"], (579, 160))
    s.arrow([(330, 77), (690, 77), (690, 118)])
    s.arrow([(690, 250), (690, 288)])
    s.arrow([(770, 305), (805, 305), (805, 275), (838, 275)])
    s.arrow([(770, 325), (805, 325), (805, 340), (838, 340)])
    s.save("mat.svg")


def vec():
    s = Svg(980, 400, "The vector unit", "Operands a, b and p are selected, multiplied, rounded, added and either saturated or looked up; sums become scalars.")
    s.frame(150, 20, 680, 360, "vec", "vec: a word (nano 4 elements, edge 16) a cycle")
    s.box(15, 60, 105, 50, "vmem", "vmem", ["a, b"])
    s.box(15, 130, 105, 50, "dma", "parameters", ["p, 16 bits"])
    s.box(170, 60, 120, 120, "vec", "select", ["x: a, a − b,", "a − mean, relu a …", "m: 1, p, b,", "scalar, x"])
    s.box(320, 60, 110, 120, "vec", "t = x · m", ["exact,", "at most 56 bits"])
    s.box(460, 60, 130, 120, "vec", "round(t, s) + c", ["s: static, of the", "scalar, or found", "(largest magnitude)", "c: 0, a, b, p, 1"])
    s.box(620, 50, 190, 60, "vec", "sat₂₇", ["ordinary result"])
    s.box(620, 130, 190, 60, "vec", "table", ["sigmoid, tanh, decay"])
    s.box(460, 225, 130, 60, "vec", "vec_reduce", ["Σ over a segment"])
    s.box(320, 225, 110, 60, "vec", "vec_scalar", ["mean, 1/√, value"])
    s.box(170, 225, 120, 60, "vec", "sreg", ["mean, mult, shift", "a segment"])
    s.box(620, 225, 190, 60, "vec", "amax", ["OR of magnitudes: the", "exponent of an operand"])
    s.box(320, 315, 490, 50, "vec", "vec_write", ["a queue of finished words in front of the memories"])
    s.box(865, 220, 105, 36, "vmem", "vmem")
    s.box(865, 268, 105, 36, "rest", "xmem")
    s.box(865, 316, 105, 36, "wkv", "wkv operands", size=11)
    s.arrow([(120, 85), (168, 85)])
    s.arrow([(120, 155), (168, 155)])
    s.arrow([(290, 120), (318, 120)])
    s.arrow([(430, 120), (458, 120)])
    s.arrow([(590, 85), (618, 85)])
    s.arrow([(590, 155), (618, 155)])
    s.arrow([(810, 80), (822, 80), (822, 340), (812, 340)])
    s.arrow([(810, 160), (822, 160), (822, 340), (812, 340)])
    s.arrow([(822, 255), (812, 255)])
    s.arrow([(525, 182), (525, 223)], "results or t", (520, 207), "end")
    s.arrow([(460, 255), (432, 255)])
    s.arrow([(320, 255), (292, 255)])
    s.arrow([(230, 223), (230, 182)])
    s.arrow([(620, 262), (605, 262), (605, 205), (545, 205), (545, 182)])
    for y in (238, 286, 334):
        s.arrow([(810, 352), (845, 352), (845, y), (863, y)])
    s.save("vec.svg")


def wkv():
    s = Svg(960, 360, "The recurrence", "Pass 1 reads a row of the state and finds sa; pass 2 updates the row, writes it and finds y.")
    s.frame(170, 20, 620, 320, "wkv", "wkv: a word of the state (nano 4 elements) a cycle")
    s.box(20, 60, 120, 80, "vec", "operands", ["r d k v kk b", "16 bits, written", "by vec"])
    s.box(200, 230, 150, 80, "wkv", "state memory S", ["24 bits an element", "or a queue from", "external memory"])
    s.box(200, 70, 150, 90, "wkv", "pass 1", ["reads row i", "sa = −Σ S · kk", "rounded once"])
    s.box(410, 70, 140, 90, "wkv", "queue", ["64 words: row i", "waits for its sa", "while i + 1 is read"])
    s.box(610, 70, 160, 90, "wkv", "pass 2: lanes", ["S − S·d + sa·b + v·k", "three roundings,", "one saturation"])
    s.box(610, 230, 160, 80, "wkv", "y = Σ S′ · r", ["of the updated row,", "rounded once"])
    s.box(840, 245, 100, 50, "vmem", "vmem", ["y, 27 bits"])
    s.arrow([(140, 100), (198, 100)])
    s.arrow([(275, 228), (275, 162)], "S", (262, 200))
    s.arrow([(350, 115), (408, 115)])
    s.arrow([(550, 115), (608, 115)])
    s.arrow([(690, 162), (690, 228)], "S′", (704, 200))
    s.arrow([(650, 162), (650, 190), (480, 190), (480, 270), (352, 270)], "S′ is written back", (470, 286), "start")
    s.arrow([(770, 270), (838, 270)])
    s.arrow([(80, 140), (80, 330), (590, 330), (590, 140), (608, 140)], dash="4 3")
    s.save("wkv.svg")


def dma():
    s = Svg(960, 330, "The stream reader", "Instructions become AXI4 bursts; beats go to the weight fifo, the parameter fifo or the recurrence.")
    s.frame(190, 20, 420, 290, "dma", "dma: addresses in order, beats in order")
    s.box(20, 60, 130, 60, "program", "program", ["kind, addr, len"])
    s.box(20, 150, 130, 60, "rest", "registers", ["TOKEN_IN,", "IMAGE_BASE"], 11)
    s.box(220, 60, 150, 60, "dma", "address", ["base + addr,", "or + token · len"])
    s.box(430, 60, 150, 60, "dma", "bursts", ["≤ 64 beats, never", "across 4 KiB"])
    s.box(220, 150, 150, 60, "dma", "column skip", ["only columns whose", "operand is not 0"])
    s.box(430, 220, 150, 60, "dma", "route", ["by the kind of the", "oldest burst"])
    s.rect(700, 50, 110, 110, BACK, RULE)
    s.lines(755, 95, ["external", "memory"], 13, INK, "middle")
    s.box(700, 195, 160, 36, "dma", "weight fifo → mat")
    s.box(700, 240, 160, 36, "dma", "parameter fifo → vec")
    s.box(700, 285, 160, 36, "wkv", "state → wkv")
    s.arrow([(150, 90), (218, 90)])
    s.arrow([(150, 180), (185, 180), (185, 105), (218, 105)])
    s.arrow([(370, 90), (428, 90)])
    s.arrow([(295, 148), (295, 122)])
    s.arrow([(580, 90), (698, 90)], "AR", (640, 84))
    s.arrow([(698, 140), (505, 140), (505, 218)], "R, a beat a cycle", (640, 134))
    for y in (213, 258, 303):
        s.arrow([(580, 250), (650, 250), (650, y), (698, y)])
    s.lines(205, 240, ["Requests run ahead of the", "data, across instructions:", "up to max_outstanding", "bursts are in flight."], 12, SOFT)
    s.save("dma.svg")


def timeline():
    """One layer, from the committed record of a simulated token."""
    record = json.loads((ROOT / "reports/runs/2026-11-21-all/latency.json").read_text())
    which = 1
    ops = [o for o in record["ops"] if o["layer"] == which and o["unit"] != "dma"]
    start, end = min(o["start_cycle"] for o in ops), max(o["end_cycle"] for o in ops)
    s = Svg(980, 300, "One layer in cycles", "Which instruction of the matrix unit, the vector unit and the recurrence runs when, in one layer of the built-in model on nano.")
    s.text(20, 26, f"Layer {which} of the built-in model on nano: {end - start:,} of {record['cycles_per_token']:,} cycles", 15, INK, bold=True)
    left, width, rows = 60, 900, {"mat": 60, "vec": 130, "wkv": 200}
    at = lambda c: left + (c - start) / (end - start) * width
    for unit, y in rows.items():
        s.rect(left, y, width, 44, BACK, radius=0)
        s.text(left - 8, y + 27, unit, 13, INK, "end", bold=True)
    busy = sorted((o["start_cycle"], o["end_cycle"]) for o in ops if o["unit"] == "mat")
    last, lost = start, 0
    for a, b in busy + [(end, end)]:
        if a > last:
            s.rect(round(at(last), 1), rows["mat"], round(at(a) - at(last), 1), 44, fill("lost"), radius=0)
            lost += a - last
        last = max(last, b)
    for o in ops:
        x, w, y = at(o["start_cycle"]), at(o["end_cycle"]) - at(o["start_cycle"]), rows[o["unit"]]
        s.rect(round(x, 1), y + 2, round(max(w, 1), 1), 40, fill(o["unit"]), SURFACE, 1)
        name = o["name"].removeprefix("att.")
        if o["unit"] in ("mat", "wkv") and w > 6.2 * len(name) + 4:
            s.text(round(x + w / 2, 1), y + 26, name, 10, text_on(o["unit"]), "middle")
    for i in range(0, end - start, 2000):
        x = round(at(start + i), 1)
        s.parts.append(f'<line x1="{x}" y1="250" x2="{x}" y2="255" stroke="{SOFT}"/>')
        s.text(x, 268, f"{i:,}", 11, SOFT, "middle")
    s.text(left + width, 284, "cycles from the layer’s first instruction", 11, SOFT, "end")
    s.legend(60, 290, [("lost", f"no matrix instruction runs: {lost:,} cycles"), ("mat", "matrices"), ("vec", "vectors"), ("wkv", "recurrence")])
    s.save("timeline.svg")


for picture in (chip, layer, stream, number, mat, vec, wkv, dma, timeline):
    picture()
