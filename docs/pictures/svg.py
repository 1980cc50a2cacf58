"""A small SVG writer for the pictures of docs/: boxes, arrows and text in the colours of the reports.

The colours are read from reports/src/palette.rs, so that one colour means the same thing in a page and in a report.
"""
import html
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FONT = "font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\""


def palette():
    """Light value and colour of the text on it, by the name of the constant in reports/src/palette.rs."""
    text = (ROOT / "reports/src/palette.rs").read_text()
    found = re.findall(r"pub const (\w+): Colour = colour\(\"[\w-]+\", 0x(\w{6}), 0x\w{6}, (true|false)\)", text)
    return {name: ("#" + light, "#FFFFFF" if white == "true" else "#111112") for name, light, white in found}


PALETTE = palette()
INK, SOFT, RULE, SURFACE, BACK = (PALETTE[n][0] for n in ("INK", "SOFT_INK", "RULE", "SURFACE", "BACK"))
# One colour a unit: the table in reports/src/all/units.rs.
UNITS = {"mat": "BLUE", "vec": "YELLOW", "wkv": "VIOLET", "vmem": "AQUA", "dma": "GREY", "program": "PINK", "rest": "PALE_GREY", "lost": "RED"}


def fill(unit):
    return PALETTE[UNITS[unit]][0]


def text_on(unit):
    return PALETTE[UNITS[unit]][1]


def tint(unit, share=0.14):
    """The unit's colour mixed with the page's."""
    mix = lambda i: round(int(fill(unit)[i : i + 2], 16) * share + int(SURFACE[i : i + 2], 16) * (1 - share))
    return "#%02X%02X%02X" % (mix(1), mix(3), mix(5))


class Svg:
    def __init__(self, width, height, title, description):
        self.size, self.title, self.description, self.parts = (width, height), title, description, []

    def rect(self, x, y, w, h, colour, border=None, radius=4, dash=None):
        line = f' stroke="{border}" stroke-width="1.4"' if border else ""
        line += f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}" fill="{colour}"{line}/>')

    def text(self, x, y, words, size=13, colour=INK, anchor="start", bold=False, mono=False):
        font = "font-family=\"'DejaVu Sans Mono', Consolas, monospace\"" if mono else FONT
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(f'<text x="{x}" y="{y}" {font} font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>{html.escape(words)}</text>')

    def lines(self, x, y, words, size=12, colour=INK, anchor="start", step=None, mono=False):
        for i, line in enumerate(words):
            self.text(x, y + i * (step or round(size * 1.35)), line, size, colour, anchor, mono=mono)

    def box(self, x, y, w, h, unit, name, words=(), size=12):
        """A part: the unit's colour around it, a name, and lines in its middle."""
        self.rect(x, y, w, h, SURFACE, fill(unit))
        step = round(size * 1.35)
        top = y + h / 2 - step * len(words) / 2 + size * 0.36
        self.text(x + w / 2, top, name, size + 1, INK, "middle", bold=True)
        self.lines(x + w / 2, top + step, words, size, SOFT, "middle", step)

    def solid(self, x, y, w, h, unit, name, words=(), size=12):
        """A part filled with the unit's colour."""
        self.rect(x, y, w, h, fill(unit))
        step = round(size * 1.35)
        top = y + h / 2 - step * len(words) / 2 + size * 0.36
        self.text(x + w / 2, top, name, size + 1, text_on(unit), "middle", bold=True)
        self.lines(x + w / 2, top + step, words, size, text_on(unit), "middle", step)

    def frame(self, x, y, w, h, unit, name):
        """A unit with room inside."""
        self.rect(x, y, w, h, tint(unit), fill(unit), 6)
        self.text(x + 10, y + 19, name, 14, INK, bold=True)

    def arrow(self, points, words=None, at=None, anchor="middle", colour=SOFT, size=11, both=False, dash=None):
        path = " ".join(f"{x},{y}" for x, y in points)
        start = ' marker-start="url(#back)"' if both else ""
        line = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"{line} marker-end="url(#head)"{start}/>')
        if words:
            (x, y) = at or ((points[0][0] + points[-1][0]) / 2, (points[0][1] + points[-1][1]) / 2 - 5)
            self.lines(x, y, words if isinstance(words, (list, tuple)) else [words], size, SOFT, anchor)

    def legend(self, x, y, units, size=12):
        for unit, words in units:
            self.rect(x, y - 10, 13, 13, fill(unit), radius=2)
            self.text(x + 18, y + 1, words, size, SOFT)
            x += 32 + len(words) * size * 0.54

    def save(self, name):
        w, h = self.size
        heads = "".join(
            f'<marker id="{id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="{turn}"><path d="M0,0.6 L7.4,4 L0,7.4 z" fill="{SOFT}"/></marker>'
            for id, turn in (("head", "auto"), ("back", "auto-start-reverse"))
        )
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img">\n<title>{html.escape(self.title)}</title>\n<desc>{html.escape(self.description)}</desc>\n'
        back = f'<defs>{heads}</defs>\n<rect width="{w}" height="{h}" fill="{SURFACE}"/>\n'
        (ROOT / "docs/pictures" / name).write_text(head + back + "\n".join(self.parts) + "\n</svg>\n")
