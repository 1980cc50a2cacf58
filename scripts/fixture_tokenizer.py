#!/usr/bin/env python3
"""Makes golden-model/tests/fixtures/world_encodings.json: texts and the World token ids they must have.

    scripts/fixture_tokenizer.py [FILE]

The ids are found here by the definition alone: at each position the longest entry of the vocabulary that the text
continues with, looked up in a dictionary from the longest length down. Nothing of the Rust code (a trie) is used; the
literals of the list are read by Python itself.
"""

import ast
import json
import sys
import zipfile
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "golden-model"

TEXTS = [
    "",
    "a",
    " ",
    "The wild geese do not intend to cast their reflection.",
    "the the the",
    "THE THE THE",
    "It's 3.14159, isn't it? -- \"No!\"",
    "1234567890 0000000 1e-5 0x7f",
    "    four\n\tspaces\r\n\r\n\n\n\n",
    "fn main() {\n    println!(\"{}\", 1 + 2);\n}\n",
    "def mix(x, prev, m):\n    return x + (prev - x) * m\n",
    "always_ff @(posedge clk_i) if (!rst_ni) q <= '0; else q <= d;",
    "#include <stdio.h>\nint main(void){return 0;}",
    "<html><body class=\"a\">&nbsp;</body></html>",
    "{\"name\": [1, 2, {\"x\": null}]}",
    "SELECT * FROM tokens WHERE id >= 65529;",
    "\\alpha + \\beta = \\frac{1}{2}",
    "https://example.org/a?b=c&d=%20#e",
    "naïve café Ångström œuvre",
    "Übergrößenträger über alles Weiß",
    "Съешь же ещё этих мягких французских булок",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "我能吞下玻璃而不伤身体。",
    "私はガラスを食べられます。それは私を傷つけません。",
    "나는 유리를 먹을 수 있어요. 그래도 아프지 않아요",
    "أنا قادر على أكل الزجاج و هذا لا يؤلمني.",
    "אני יכול לאכול זכוכית",
    "मैं काँच खा सकता हूँ",
    "ฉันกินกระจกได้",
    "Tôi có thể ăn thủy tinh",
    "😀😃🦢 🇪🇺 👩‍👩‍👧",
    "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β",
    "├── src\n│   └── main.rs",
    "tab\tand\x00zero\x01one\x7f",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "================================================================",
    "camelCaseAndSNAKE_CASE_and-kebab-case",
    "\ufeffwith a mark, then\u2028a separator",
    "e\u0301 is two characters, \u00e9 is one",
    "User: Hello!\n\nAssistant: Hi. How can I help?\n\n",
]


def vocabulary():
    """Returns bytes -> id."""
    with zipfile.ZipFile(GOLDEN / "data/rwkv_vocab_v20230424.zip") as archive:
        (name,) = archive.namelist()
        lines = archive.read(name).decode("utf-8").split("\n")
    ids = {}
    for line in filter(None, lines):
        number, rest = line.split(" ", 1)
        literal, length = rest.rsplit(" ", 1)
        token = ast.literal_eval(literal)
        token = token.encode("utf-8") if isinstance(token, str) else token
        assert len(token) == int(length) and token not in ids, line
        ids[token] = int(number)
    return ids


def encode(ids, longest, data):
    out = []
    while data:
        n = next(n for n in range(min(longest, len(data)), 0, -1) if data[:n] in ids)
        out.append(ids[data[:n]])
        data = data[n:]
    return out


def any_bytes(n, seed):
    """Returns bytes of a linear congruential generator: mostly not UTF-8."""
    out = bytearray()
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append(seed >> 56)
    return bytes(out)


def main():
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN / "tests/fixtures/world_encodings.json"
    ids = vocabulary()
    assert len(ids) == 65529
    longest = max(map(len, ids))
    cases = [text.encode("utf-8") for text in TEXTS]
    cases += [any_bytes(n, n) for n in (1, 2, 3, 7, 20, 64, 150)]
    cases.append("".join(TEXTS).encode("utf-8")[1:])  # every text after the other
    cases += [text.encode("utf-8")[1:-1] for text in TEXTS[18:33]]  # cut inside a character
    words = sorted(ids, key=lambda token: ids[token])
    cases += [words[i] + words[-i] for i in range(300, 65000, 2600)]  # two entries that meet
    rows = [json.dumps({"bytes_hex": c.hex(), "ids": encode(ids, longest, c)}, separators=(",", ":")) for c in cases]
    target.write_text("[\n" + ",\n".join(rows) + "\n]\n")
    print(f"{len(rows)} encodings", file=sys.stderr)


if __name__ == "__main__":
    main()
