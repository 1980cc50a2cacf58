#!/usr/bin/env python3
"""Makes power/tests/ring: a mapped netlist with wires and recorded activity, and the power it must have.

    scripts/fixture_power.py [FOLDER]

Eight registers in a chain behind a clock tree, with two rows of gates, in the cells of power/tests/tiny/tiny.lib. The
script simulates the netlist, writes what a simulator would (VCD) and its summary (SAIF), and calculates the power from
the formulas of that library by hand-written sums: no table, no parser and no propagation of the Rust code is used.

The library in formulas (slew in ns, load in pF, energy in pJ a transition, leakage in nW, 2 V):

    CKBUF  0.2;                                leakage 3 while A is 1, else 1;  input 0.01 pF
    DFF    0.4 for CK, 0.1 + load for Q (the ideal clock has no slew);  leakage 5;  CK 0.02 pF, D 0.01 pF;  slew 0.1 + load
    AND2   0.4 for a change of Y that A causes, 0.8 for one that B causes; 0.2 + 0.1 slew for a change of A while B is 0
           leakage 10 while A and B are 1, else 4;  inputs 0.01 pF;  slew 0.1 + load
"""

import json
import math
import sys
from pathlib import Path

N, CYCLES, PERIOD_NS, VOLT = 8, 60, 10, 2.0
WIRE_PF = [0.004 + 0.003 * i for i in range(N)]  # capacitance of net q_i at its driver
BRANCH_PF, BRANCH_OHM = 0.002, [40 + 35 * i for i in range(N)]  # of net q_i at each of its loads, and the resistance there
OUTPUT_PF = 0.05


def loads(i):
    """Returns the pins on net q_i: the next register's D and three gates."""
    pins = [f"g{i}:A", f"g{(i - 1) % N}:B", f"h{(i + N // 2) % N}:B"]
    return pins + ([f"r{i + 1}:D"] if i + 1 < N else [])


def simulate():
    """Returns name -> list of values in half cycles, two a cycle: clock low, then clock high."""
    seed, q = 2024, [0] * N
    trace = {name: [] for name in ["clk", "d", "ck", "ca", "cb"] + [f"{c}{i}" for c in "qyz" for i in range(N)]}
    for half in range(2 * CYCLES):
        clock = half % 2
        if clock == 0:
            seed = (seed * 1103515245 + 12345) % 2**31
            d = int(seed >> 16 & 7 > 2)
        else:
            q = [d] + q[:-1]
        y = [q[i] & q[(i + 1) % N] for i in range(N)]
        z = [y[i] & q[(i + N // 2) % N] for i in range(N)]
        for name, value in [("clk", clock), ("ck", clock), ("ca", clock), ("cb", clock), ("d", d)]:
            trace[name].append(value)
        for i in range(N):
            for c, values in zip("qyz", (q, y, z)):
                trace[f"{c}{i}"].append(values[i])
    return trace


def netlist():
    ports = ["clk", "d"] + [f"z{i}" for i in range(N)]
    out = [f"module ring ({', '.join(ports)});", "  input clk, d;", "  output " + ", ".join(ports[2:]) + ";"]
    out.append("  wire ck, ca, cb, " + ", ".join(f"{c}{i}" for c in "qy" for i in range(N)) + ";")
    for name, a, y in [("c0", "clk", "ck"), ("c1", "ck", "ca"), ("c2", "ck", "cb")]:
        out.append(f"  CKBUF {name} (.A({a}), .Y({y}));")
    for i in range(N):
        data = "d" if i == 0 else f"q{i - 1}"
        out.append(f"  DFF r{i} (.CK({'ca' if i < N // 2 else 'cb'}), .D({data}), .Q(q{i}));")
        out.append(f"  AND2 g{i} (.A(q{i}), .B(q{(i + 1) % N}), .Y(y{i}));")
        out.append(f"  AND2 h{i} (.A(y{i}), .B(q{(i + N // 2) % N}), .Y(z{i}));")
    return "\n".join(out + ["endmodule", ""])


def wire_pf(i):
    return WIRE_PF[i] + BRANCH_PF * len(loads(i))


def spef():
    out = ['*SPEF "ieee 1481-1999"', "*DIVIDER /", "*DELIMITER :", "*T_UNIT 1 NS", "*C_UNIT 1 PF", "*R_UNIT 1 OHM"]
    for i in range(N):
        out += [f"*D_NET q{i} {wire_pf(i):.6g}", "*CONN", f"*I r{i}:Q O", *(f"*I {pin} I" for pin in loads(i)), "*CAP"]
        out.append(f"1 r{i}:Q {WIRE_PF[i]:.6g}")
        out += [f"{n} {pin} {BRANCH_PF:.6g}" for n, pin in enumerate(loads(i), 2)]
        out += ["*RES", *(f"{n} r{i}:Q {pin} {BRANCH_OHM[i]}" for n, pin in enumerate(loads(i), 1)), "*END"]
    return "\n".join(out + [""])


def vcd(trace):
    code = {name: chr(33 + n) for n, name in enumerate(trace)}
    out = ["$timescale 1 ns $end", "$scope module bench $end", "$scope module dut $end"]
    out += [f"$var wire 1 {code[name]} {name} $end" for name in trace]
    out += ["$upscope $end", "$upscope $end", "$enddefinitions $end"]
    for half in range(2 * CYCLES):
        out.append(f"#{half * PERIOD_NS // 2}")
        out += [f"{v[half]}{code[n]}" for n, v in trace.items() if half == 0 or v[half] != v[half - 1]]
    return "\n".join(out + [f"#{CYCLES * PERIOD_NS}", ""])


def transitions(values):
    return sum(a != b for a, b in zip(values, values[1:]))


def saif(trace):
    half_ps = PERIOD_NS * 500
    out = [f"(SAIFILE (TIMESCALE 1 ps) (DURATION {2 * CYCLES * half_ps}) (INSTANCE bench (INSTANCE dut (NET"]
    for name, values in trace.items():
        high = sum(values) * half_ps
        out.append(f"({name} (T0 {2 * CYCLES * half_ps - high}) (T1 {high}) (TX 0) (TC {transitions(values)}))")
    return "\n".join(out + ["))))", ""])


def expected(trace):
    """Returns group -> watts by cause."""
    seconds = CYCLES * PERIOD_NS * 1e-9
    rate = {name: transitions(values) / seconds for name, values in trace.items()}
    duty = {name: sum(values) / len(values) for name, values in trace.items()}
    pj, pf, nw = 1e-12, 1e-12, 1e-9
    charge = lambda load_pf, net: 0.5 * load_pf * pf * VOLT**2 * rate[net]
    sums = {g: {"internal": 0.0, "switching": 0.0, "leakage": 0.0} for g in ("clock", "sequential", "combinational")}

    clock = sums["clock"]
    for source, net, load_pf in [("clk", "ck", 2 * 0.01), ("ck", "ca", N // 2 * 0.02), ("ck", "cb", N // 2 * 0.02)]:
        clock["internal"] += 0.2 * pj * rate[net]
        clock["switching"] += charge(load_pf, net)
        clock["leakage"] += (3 * duty[source] + 1 * (1 - duty[source])) * nw

    load = [wire_pf(i) + 0.01 * len(loads(i)) for i in range(N)]
    for i in range(N):
        r = sums["sequential"]
        r["internal"] += 0.4 * pj * rate["ca" if i < N // 2 else "cb"] + (0.1 + load[i]) * pj * rate[f"q{i}"]
        r["switching"] += charge(load[i], f"q{i}")
        r["leakage"] += 5 * nw

    def gate(a, slew, b, out, load_pf):
        g = sums["combinational"]
        by_a, by_b = rate[a] * duty[b], rate[b] * duty[a]
        share = by_a / (by_a + by_b)
        g["internal"] += (0.4 * share + 0.8 * (1 - share)) * pj * rate[out]
        g["internal"] += (0.2 + 0.1 * slew) * (1 - duty[b]) * pj * rate[a]
        g["switching"] += charge(load_pf, out)
        both = duty[a] * duty[b]
        g["leakage"] += (10 * both + 4 * (1 - both)) * nw

    for i in range(N):
        # a wire adds ln 4 times its Elmore delay to the slew, in squares; 1 ohm times 1 pF is 0.001 ns
        elmore_ns = BRANCH_OHM[i] * (BRANCH_PF + 0.01) * 1e-3
        gate(f"q{i}", math.hypot(0.1 + load[i], math.log(4) * elmore_ns), f"q{(i + 1) % N}", f"y{i}", 0.01)
        gate(f"y{i}", 0.1 + 0.01, f"q{(i + N // 2) % N}", f"z{i}", OUTPUT_PF)
    return sums


def main():
    default = Path(__file__).resolve().parent.parent / "power/tests/ring"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    trace = simulate()
    sdc = "create_clock -name clk -period 10 [get_ports clk]\n" + f"set_load {OUTPUT_PF} [all_outputs]\n"
    files = {"ring.v": netlist(), "ring.spef": spef(), "ring.sdc": sdc, "ring.vcd": vcd(trace), "ring.saif": saif(trace)}
    files["ring.json"] = json.dumps(expected(trace), indent=1) + "\n"
    for name, text in files.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
