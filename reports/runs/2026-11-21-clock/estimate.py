"""Long paths of an ECP5 netlist (`yosys: synth_ecp5 -json`), named by the nets they run through, without placing it.

    python3 estimate.py synth.json [N]

Cells have the delays nextpnr gives for speed grade 6; a wire takes 1 ns and 0.13 ns for each doubling of its readers, which is pessimistic for
most and far too little for some. It ranks; place and route measures. Standard library only.
"""
import collections
import json
import math
import re
import sys

LUT, MUX, CARRY_IN, CARRY, CARRY_OUT, MULTIPLIER = 0.24, 0.2, 0.45, 0.07, 0.42, 3.93
FLIP_FLOP, BLOCK_RAM, DISTRIBUTED = 0.52, 5.6, 0.3  # clock to output; the last one address to output


def bits(ports, names):
    return [b for p, bs in ports.items() if names(p) for b in bs if isinstance(b, int)]


class Netlist:
    def __init__(self, path):
        with open(path) as file:
            modules = json.load(file)["modules"]
        top = max(modules.values(), key=lambda m: len(m.get("cells", {})))
        self.readers = collections.Counter()
        self.arcs, self.start, self.ends, self.at, self.before = {}, {}, [], {}, {}
        for cell in top["cells"].values():
            self.readers.update(bits(cell["connections"], lambda p: cell["port_directions"].get(p) == "input"))
        for name, cell in top["cells"].items():
            self.add(name, cell["type"], cell["connections"], cell["port_directions"])
        self.names = {}
        for name, net in top["netnames"].items():
            for i, bit in enumerate(net["bits"]):
                full = name + (f"[{i}]" if len(net["bits"]) > 1 else "")
                if isinstance(bit, int) and (bit not in self.names or len(full) < len(self.names[bit])):
                    self.names[bit] = full

    def wire(self, bit):
        return 1.0 + 0.13 * math.log2(max(1, self.readers[bit]))

    def through(self, output, inputs, delay, wire=True):
        """One cell output: the inputs it depends on and what each costs."""
        if isinstance(output, int):
            self.arcs.setdefault(output, []).extend((b, delay + (self.wire(b) if wire else 0.0)) for b in inputs)

    def add(self, name, kind, ports, directions):
        inputs = lambda match: bits(ports, lambda p: directions.get(p) == "input" and match(p))
        outputs = bits(ports, lambda p: directions.get(p) == "output")
        if kind == "LUT4":
            self.through(outputs[0], inputs(lambda p: True), LUT)
        elif kind in ("PFUMX", "L6MUX21"):
            select = "C0" if kind == "PFUMX" else "SD"
            self.through(outputs[0], inputs(lambda p: p != select), MUX, wire=False)
            self.through(outputs[0], inputs(lambda p: p == select), MUX)
        elif kind == "CCU2C":
            for port in ("S0", "S1", "COUT"):
                for output in ports.get(port, []):
                    first = port == "S0"
                    self.through(output, inputs(lambda p: p != "CIN" and not (first and p[-1] == "1")), CARRY_IN)
                    self.through(output, inputs(lambda p: p == "CIN"), CARRY if port == "COUT" else CARRY_OUT, wire=False)
        elif kind == "MULT18X18D":
            factors = inputs(lambda p: re.fullmatch(r"[AB]\d+", p))
            for output in bits(ports, lambda p: re.fullmatch(r"P\d+", p)):
                self.through(output, factors, MULTIPLIER)
        elif kind == "TRELLIS_DPR16X4":
            for output in outputs:
                self.through(output, inputs(lambda p: p == "RAD"), DISTRIBUTED)
            self.finish(name, ports, ("DI", "WAD", "WRE"))
        elif kind == "TRELLIS_FF":
            self.start.update((b, FLIP_FLOP) for b in outputs)
            self.finish(name, ports, ("DI", "M", "CE", "LSR"))
        elif kind == "DP16KD":
            self.start.update((b, BLOCK_RAM) for b in outputs)
            self.finish(name, ports, [p for p in ports if directions[p] == "input" and not p.startswith("CLK")])
        else:
            self.start.update((b, FLIP_FLOP) for b in outputs)

    def finish(self, name, ports, names):
        # a LUT that feeds one flip-flop sits beside it
        near = lambda p, b: p in ("DI", "M") and self.readers[b] == 1
        self.ends += [(b, 0.15 if near(p, b) else self.wire(b), f"{name}.{p}") for p in names for b in bits(ports, lambda q: q == p)]

    def arrival(self, bit):
        stack = [bit]
        while stack:
            now = stack[-1]
            waiting = [b for b, _ in self.arcs.get(now, []) if b not in self.at]
            if waiting and len(stack) < 5000:
                stack.extend(waiting)
                continue
            stack.pop()
            if now in self.at:
                continue
            times = [(self.at.get(b, 0.0) + d, b) for b, d in self.arcs.get(now, [])]
            self.at[now], self.before[now] = max(times, default=(self.start.get(now, 0.3), None))
        return self.at[bit]


def main():
    netlist = Netlist(sys.argv[1])
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    ends = sorted(((netlist.arrival(b) + d, b, end) for b, d, end in netlist.ends), reverse=True)
    plain = lambda text: re.sub(r"_(LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_FF)_.*", "~", text)
    groups = {}
    for time, bit, end in ends:
        path = [bit]
        while netlist.before.get(path[-1]) is not None:
            path.append(netlist.before[path[-1]])
        alike = tuple(re.sub(r"\d+", "#", plain(t)) for t in (netlist.names.get(path[-1], "?"), end))
        groups.setdefault(alike, [time, end, path, 0])[3] += 1
    for time, end, path, count in list(groups.values())[:wanted]:
        steps = [f"{plain(netlist.names.get(b, '?'))} {netlist.at[b]:.1f} ns to {netlist.readers[b]}" for b in reversed(path)]
        print(f"{time:6.2f} ns, {count} ends like {plain(end)}\n    " + "\n    ".join(steps))
    for limit in (10, 11, 12.5):
        print(f"{sum(e[0] > limit for e in ends)} of {len(ends)} ends beyond {limit} ns")


if __name__ == "__main__":
    main()
