#!/usr/bin/env python3
"""Turns the JSON files of one measurement into a run under reports/runs: run.json and README.md. Called by scripts/measure."""
import json
import os
import pathlib
import subprocess
import sys

part, out, name = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
load = lambda f: json.loads((part / f"{f}.json").read_text())
golden, rtl, long = load("generate-golden"), load("generate-rtl"), load("long")
stalls = [load(f"stall-{s}") for s in range(1, 21)]
fl, ev, bench = load("eval-float"), load("eval-golden"), load("bench-rtl")
latency = {c: load(f"latency-{c}") for c in ("nano", "wide")}
cpu = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")
revision = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True).stdout.strip()
fed = len(rtl["cycles_per_token"])
cycles = long["cycles_per_token"]
over = ev["bits_per_byte"] / fl["bits_per_byte"] - 1

rows = [
    ("generate, rtl on nano, 64 tokens: mismatches", "0", rtl["mismatches"], "generate-rtl"),
    ("values compared a token", "> 10,000", f"{rtl['values_checked'] // fed:,}", "generate-rtl"),
    ("tokens equal to golden", "yes", "yes" if rtl["tokens"] == golden["tokens"] else "NO", "generate-rtl, generate-golden"),
    ("the same with --stall 0.2, 20 seeds: mismatches", "0", sum(s["mismatches"] for s in stalls), "stalls"),
    ("the same tokens for all 20 seeds", "yes", "yes" if all(s["tokens"] == golden["tokens"] for s in stalls) else "NO", "stalls"),
    ("cycles of token 2 and of token 2,000", "equal", f"{cycles[1]:,} and {cycles[1999]:,}", "long"),
    ("distinct cycle counts, tokens 1 to 2,000", "1", len(set(cycles[:2000])), "long"),
    ("bits/byte on held-out text, float", "≤ 2.3", f"{fl['bits_per_byte']:.4f}", "eval-float"),
    ("bits/byte of golden against float", "≤ +0.2 %", f"{over * 100:+.3f} %", "eval-golden"),
    ("top-1 agreement with float", "≥ 99 %", f"{ev['top1_agreement'] * 100:.2f} %", "eval-golden"),
    ("weight-stream utilisation, nano", "≥ 80 %", f"{latency['nano']['utilisation'] * 100:.1f} %", "latency.nano"),
    ("weight-stream utilisation, wide (no target)", "", f"{latency['wide']['utilisation'] * 100:.1f} %", "latency.wide"),
    ("simulated cycles/s, nano, comparison on, one core", "≥ 500,000", f"{bench['simulated_cycles_per_s']:,.0f}", "bench-rtl"),
]
text = [f"# {out.name}", "", f"Measured by `scripts/measure {name}` at revision {revision} on {os.cpu_count()} cores of {cpu}.",
        "The commands are in that script; the last column names the entry of `run.json` a figure comes from.", "",
        "| what | target | measured | from |", "|---|---|---|---|"]
text += [f"| {a} | {b} | {c} | {d} |" for a, b, c, d in rows]
run = {"schema_version": 1, "name": name, "revision": revision, "cpu": cpu, "cores": os.cpu_count(),
       "generate-golden": golden, "generate-rtl": rtl, "eval-float": fl, "eval-golden": ev, "bench-rtl": bench,
       "latency": latency,
       "stalls": [{"seed": s, "mismatches": r["mismatches"], "values_checked": r["values_checked"], "tokens": r["tokens"],
                   "cycles": sum(r["cycles_per_token"])} for s, r in enumerate(stalls, 1)],
       "long": {"tokens": len(cycles), "mismatches": long["mismatches"], "values_checked": long["values_checked"],
                "cycles_token_2": cycles[1], "cycles_token_2000": cycles[1999],
                "cycles_min": min(cycles), "cycles_max": max(cycles)}}
for s in run["latency"].values():
    for key in ("ops", "layers", "shares", "by_op", "exposed"):
        s.pop(key, None)
out.mkdir(parents=True, exist_ok=True)
for file, body in (("run.json", json.dumps(run, indent=1) + "\n"), ("README.md", "\n".join(text) + "\n")):
    tmp = out / f".{file}.tmp"
    tmp.write_text(body)
    tmp.rename(out / file)
print("\n".join(text[5:]))
