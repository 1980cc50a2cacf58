#!/usr/bin/env python3
"""Draws docs/pictures/first-token.svg from a recording of the bench: docs/pictures/waves.py FOLDER

FOLDER is what `anser rtl MODEL -o FOLDER` wrote, with the recording tb.vcd of a run of the bench with +vcd in it. Nothing in the picture
is drawn by hand: the script looks for the first read of a register, for the write that starts the first token, and for its end.
"""
import importlib.util
import re
import sys
from pathlib import Path

from svg import BACK, INK, RULE, SOFT, Svg, fill, tint

CELL, ROW, LEFT, GAP = 46, 25, 160, 22  # pixels: a cycle, a signal, the names, a pause between two stretches of a picture
HIGH, LOW = 5, 19  # of a signal's row
GROUPS = {"logits": "mat", "s_axil": "program", "m_axi": "dma"}


def recording(path, scope):
    """Signals of `scope` in a VCD file, each as a list of its values, one for each cycle of clk_i, as they are at the end of the cycle."""
    names, values, inside = {}, {}, []
    text = path.read_text().split("$enddefinitions $end")
    for kind, rest in re.findall(r"\$(scope|upscope|var)\b(.*?)\$end", text[0], re.S):
        words = rest.split()
        if kind == "scope":
            inside.append(words[1])
        elif kind == "upscope":
            inside.pop()
        elif inside == [scope]:
            names.setdefault(words[2], []).append(words[3])
    clock = next(code for code, own in names.items() if "clk_i" in own)
    series = {name: [] for own in names.values() for name in own}
    for line in text[1].splitlines():
        if not line or line[0] in "#$":
            continue
        value, code = line.split() if line[0] in "br" else (line[0], line[1:])
        if code == clock and value == "1" and values.get(clock) == "0":
            for own, list_of in names.items():
                for name in list_of:
                    series[name].append(values.get(own, "x"))
        if code in names:
            values[code] = value.lstrip("b")
    return series


def number(text):
    return int(text, 2) if text and not set(text) - {"0", "1"} else None


class Wave:
    def __init__(self, series, registers):
        self.of = {name: [number(v) for v in list_of] for name, list_of in series.items()}
        self.registers = registers

    def when(self, start, *conditions):
        """The first cycle from `start` on in which every condition holds: a signal that is high, or a signal and its value."""
        test = lambda c, i: self.of[c][i] == 1 if isinstance(c, str) else self.of[c[0]][i] == c[1]
        return next(i for i in range(start, len(self.of["clk_i"])) if all(test(c, i) for c in conditions))

    def label(self, name, value):
        if value is None:
            return "x"
        if name.startswith("s_axil_a"):
            return self.registers.get(value, f"{value:03X}")
        return f"{value:X}"


# Rows of the pictures: signal, and the valid that says when it counts.
RESET = [("clk_i", None), ("rst_ni", None)]
AR = [("s_axil_arvalid", None), ("s_axil_arready", None), ("s_axil_araddr", "s_axil_arvalid")]
R = [("s_axil_rvalid", None), ("s_axil_rdata", "s_axil_rvalid")]
AW = [("s_axil_awvalid", None), ("s_axil_awready", None), ("s_axil_awaddr", "s_axil_awvalid")]
W = [("s_axil_wvalid", None), ("s_axil_wready", None), ("s_axil_wdata", "s_axil_wvalid")]
B = [("s_axil_bvalid", None), ("s_axil_bresp", "s_axil_bvalid")]
MEMORY = [("m_axi_arvalid", None), ("m_axi_arready", None), ("m_axi_araddr", "m_axi_arvalid"), ("m_axi_arlen", "m_axi_arvalid")]
DATA = [("m_axi_rvalid", None), ("m_axi_rready", None), ("m_axi_rlast", "m_axi_rvalid")]
STREAM = [("m_axis_logits_tvalid", None), ("m_axis_logits_tready", None), ("m_axis_logits_tdata", "m_axis_logits_tvalid"), ("m_axis_logits_tlast", "m_axis_logits_tvalid")]


def colour_of(name):
    return next((unit for part, unit in GROUPS.items() if part in name), "rest")


def panel(s, y, title, wave, rows, stretches):
    """One picture of signals over stretches of cycles; gives the y below it."""
    s.text(20, y + 14, title, 14, INK, bold=True)
    y += 26
    x = LEFT
    for first, last in stretches:
        width = (last - first + 1) * CELL
        for n in range(first, last + 1, 2):
            s.text(x + (n - first) * CELL + CELL / 2, y + 8, str(n), 9, SOFT, "middle")
        for r, (name, valid) in enumerate(rows):
            top = y + 12 + r * ROW
            signal(s, x, top, wave, name, valid, first, last)
        s.parts.append(f'<line x1="{x}" y1="{y + 12}" x2="{x}" y2="{y + 12 + ROW * len(rows)}" stroke="{RULE}"/>')
        x += width + GAP
    for r, (name, _) in enumerate(rows):
        s.text(LEFT - 10, y + 12 + r * ROW + 16, name, 11, INK, "end", mono=True)
    return y + 12 + ROW * len(rows) + 24


def signal(s, x, top, wave, name, valid, first, last):
    unit, values = colour_of(name), wave.of[name]
    if name == "clk_i":
        points = []
        for n in range(last - first + 1):
            left = x + n * CELL
            points += [(left, top + LOW), (left, top + HIGH), (left + CELL / 2, top + HIGH), (left + CELL / 2, top + LOW)]
        line(s, points + [(x + (last - first + 1) * CELL, top + LOW)], SOFT)
        return
    if valid is None or max(v or 0 for v in values) == 1 and name.endswith("last"):
        points = []
        for n in range(first, last + 1):
            level = top + (HIGH if values[n] else LOW)
            points += [(x + (n - first) * CELL, level), (x + (n - first + 1) * CELL, level)]
        line(s, points, fill(unit), 2)
        return
    n = first
    while n <= last:
        counts = wave.of[valid][n] == 1
        end = n
        while end < last and (wave.of[valid][end + 1] == 1) == counts and (not counts or values[end + 1] == values[n]):
            end += 1
        left, width = x + (n - first) * CELL, (end - n + 1) * CELL
        s.rect(left + 1, top + HIGH - 2, width - 2, LOW - HIGH + 4, tint(unit, 0.3) if counts else BACK, fill(unit) if counts else RULE, 3)
        if counts:
            words = wave.label(name, values[n])
            size = 9 if len(words) < 8 else 8
            s.text(left + width / 2, top + 15, words, size, INK, "middle", mono=True)
        n = end + 1


def line(s, points, colour, width=1.4):
    path = " ".join(f"{px:g},{py:g}" for px, py in points)
    s.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>')


def main():
    folder = Path(sys.argv[1])
    spec = importlib.util.spec_from_file_location("registers", folder / "registers.py")
    reg = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reg)
    registers = {value: name[: -len("_OFFSET")] for name, value in vars(reg).items() if name.endswith("_OFFSET")}
    wave = Wave(recording(folder / "tb.vcd", "anser_tb"), registers)

    reset = wave.when(0, "rst_ni")
    read = wave.when(reset, "s_axil_rvalid")
    start = wave.when(read, ("s_axil_awaddr", reg.CTRL_OFFSET), "s_axil_awvalid", ("s_axil_wdata", reg.CTRL_START_MASK | reg.CTRL_LOGITS_MASK))
    answered = wave.when(start, "s_axil_bvalid")
    asked = wave.when(start, "m_axi_arvalid")
    data = wave.when(asked, "m_axi_rvalid")
    last = wave.when(data, "m_axis_logits_tvalid", "m_axis_logits_tready", "m_axis_logits_tlast")
    done = wave.when(last, "s_axil_rvalid", ("s_axil_rdata", reg.STATUS_DONE_MASK))
    out = wave.when(done, ("s_axil_araddr", reg.TOKEN_OUT_OFFSET), "s_axil_arvalid")
    out = wave.when(out, "s_axil_rvalid")

    s = Svg(1100, 1000, "The first token on the ports", "Recorded signals: the first read of a register, the write that starts a token with the first bursts of weights, and the end of the token.")
    y = panel(s, 14, "1  Reset ends; the host reads ID", wave, RESET + AR + R, [(reset - 2, read + 2)])
    y = panel(s, y, "2  A write of CTRL starts the token; the chip asks for its first bursts, and data come after the memory's latency", wave,
              RESET[:1] + AW + W + B + MEMORY + DATA, [(start - 1, answered + 1), (asked - 1, asked + 5), (data - 1, data + 5)])
    y = panel(s, y, "3  The last logits leave; STATUS says DONE; TOKEN_OUT is the next token", wave,
              RESET[:1] + STREAM + [("irq_o", None)] + AR + R, [(last - 3, last + 1), (done - 4, done + 1), (out - 4, out + 1)])
    s.size = (1100, y)
    s.text(20, y - 8, "Numbers above the signals count cycles of clk_i from the start of the recording; a value is drawn in the cycle at whose end it is taken. Grey: no value counts.", 11, SOFT)
    s.save("first-token.svg")


if __name__ == "__main__":
    main()
