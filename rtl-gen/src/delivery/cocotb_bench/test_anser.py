"""Runs tokens on the chip with cocotb and cocotbext-axi, and compares each with what the golden model gave.

Everything comes from the folder above this file: addresses and bits from registers.py, names and sizes from manifest.json, programs, image,
tokens and expected values from the files that the manifest names. run.py builds a simulator and starts the tests of this file.

Environment:
  ANSER_TOKENS         only the first N tokens of each slot
  ANSER_STALL          percentage of cycles in which each channel pauses at random in the second test, 0 to 90 (default 30)
  COCOTB_RANDOM_SEED   other pauses
"""

import json
import os
import random
import sys
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiRamRead,
    AxiRamWrite,
    AxiReadBus,
    AxiResp,
    AxiStreamBus,
    AxiStreamSink,
    AxiWriteBus,
)

FOLDER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(FOLDER))
import registers as reg  # noqa: E402

MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
CONFIG, PROGRAM, BENCH = MANIFEST["config"], MANIFEST["program"], MANIFEST["bench"]
SLOTS = CONFIG.get("sessions", 1)
TOKENS = int(os.environ.get("ANSER_TOKENS", BENCH["tokens"]))
STALL = int(os.environ.get("ANSER_STALL", 30))
# rows of the head: one logit each, of every slot, for every token
VOCAB = BENCH["logits"] // (BENCH["tokens"] * SLOTS)
STATE_BYTES = PROGRAM.get("state_bytes", 0)
IMAGE_BASE = 0x8000_0000
# the most that the sparse memory of cocotbext-axi takes without trouble
MEMORY_BITS = min(CONFIG["axi_addr_bits"], 40)

assert 1 <= TOKENS <= BENCH["tokens"], f"ANSER_TOKENS is {TOKENS}, expected 1 to {BENCH['tokens']}"
assert 0 <= STALL <= 90, f"ANSER_STALL is {STALL}, expected 0 to 90"


def words(name):
    """The numbers of a hex file, one a line."""
    lines = (line.split("//")[0].strip() for line in (FOLDER / name).read_text().splitlines())
    return [int(line, 16) for line in lines if line]


def pauses():
    """True in a cycle in which a channel pauses."""
    numbers = random.Random(random.getrandbits(64))
    while True:
        yield numbers.randrange(100) < STALL


class Chip:
    """The chip with a host, a memory and a receiver of logits around it."""

    def __init__(self, dut, stalls):
        self.dut = dut
        axi = dict(clock=dut.clk_i, reset=dut.bus_rst_ni, reset_active_level=False)
        self.host = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), **axi)
        self.memory = AxiRamRead(AxiReadBus.from_prefix(dut, "m_axi"), size=1 << MEMORY_BITS, **axi)
        self.logits = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_logits"), **axi)
        channels = [self.memory.ar_channel, self.memory.r_channel, self.logits]
        write, read = self.host.write_if, self.host.read_if
        channels += [write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel]
        if hasattr(dut, "m_axi_awvalid"):
            bus = AxiWriteBus.from_prefix(dut, "m_axi")
            self.writes = AxiRamWrite(bus, mem=self.memory.mem, **axi)
            channels += [self.writes.aw_channel, self.writes.w_channel, self.writes.b_channel]
        if stalls:
            for channel in channels:
                channel.set_pause_generator(pauses())

    async def write(self, register, value):
        response = await self.host.write(register, value.to_bytes(4, "little"))
        assert response.resp == AxiResp.OKAY, f"write of register 0x{register:03x}: {response.resp}, expected OKAY"

    async def read(self, register):
        response = await self.host.read(register, 4)
        assert response.resp == AxiResp.OKAY, f"read of register 0x{register:03x}: {response.resp}, expected OKAY"
        return int.from_bytes(response.data, "little")

    async def check(self, register, expected):
        found = await self.read(register)
        assert found == expected, f"register 0x{register:03x} reads 0x{found:08x}, expected 0x{expected:08x}"

    async def start(self):
        """Clock, reset, programs, image, and a state of zeros."""
        Clock(self.dut.clk_i, 10, unit="ns").start()
        # a system with one reset ties both together
        self.dut.bus_rst_ni.value = 0
        self.dut.rst_ni.value = 0
        await ClockCycles(self.dut.clk_i, 4)
        self.dut.bus_rst_ni.value = 1
        self.dut.rst_ni.value = 1
        await ClockCycles(self.dut.clk_i, 2)
        await self.check(reg.ID_OFFSET, reg.ID_VALUE_RESET)
        await self.check(reg.VERSION_OFFSET, reg.VERSION_VALUE_RESET)
        await self.check(reg.CONFIG_OFFSET, reg.CONFIG_FINGERPRINT_RESET)
        for unit, name in enumerate(PROGRAM["code"]):
            await self.write(reg.PROG_SELECT_OFFSET, unit)
            for word in words(name):
                await self.write(reg.PROG_DATA_OFFSET, word)
        image = (FOLDER / PROGRAM["image"]).read_bytes()
        self.memory.write(IMAGE_BASE, image)
        await self.write_address(reg.IMAGE_BASE_LO_OFFSET, getattr(reg, "IMAGE_BASE_HI_OFFSET", None), IMAGE_BASE)
        await self.write(reg.TOKEN_LIMIT_OFFSET, VOCAB)
        await self.write(reg.IRQ_ENABLE_OFFSET, reg.IRQ_ENABLE_DONE_MASK | reg.IRQ_ENABLE_ERROR_MASK)
        for slot in range(SLOTS if STATE_BYTES else 0):
            if SLOTS > 1:
                await self.write(reg.STATE_SLOT_OFFSET, slot)
            base = IMAGE_BASE + len(image) + slot * STATE_BYTES
            await self.write_address(reg.STATE_BASE_LO_OFFSET, getattr(reg, "STATE_BASE_HI_OFFSET", None), base)
        await self.write(reg.CTRL_OFFSET, reg.CTRL_CLEAR_MASK)
        while await self.read(reg.STATUS_OFFSET) & reg.STATUS_BUSY_MASK:
            pass

    async def write_address(self, low, high, address):
        await self.write(low, address & 0xFFFF_FFFF)
        if high is not None:
            await self.write(high, address >> 32)

    async def token(self, tokens, clear=False):
        """Runs one token of each slot; gives those that come out, and the rows of logits."""
        many = SLOTS > 1
        register_in = reg.TOKENS_IN_OFFSET if many else reg.TOKEN_IN_OFFSET
        register_out = reg.TOKENS_OUT_OFFSET if many else reg.TOKEN_OUT_OFFSET
        for slot, token in enumerate(tokens):
            await self.write(register_in + 4 * slot, token)
        clear = reg.CTRL_CLEAR_MASK if clear else 0
        await self.write(reg.CTRL_OFFSET, reg.CTRL_START_MASK | reg.CTRL_LOGITS_MASK | clear)
        if not self.dut.irq_o.value:
            await RisingEdge(self.dut.irq_o)
        status = await self.read(reg.STATUS_OFFSET)
        assert status == reg.STATUS_DONE_MASK, f"STATUS is 0x{status:x}, expected DONE alone"
        events = await self.read(reg.IRQ_STATUS_OFFSET)
        assert events == reg.IRQ_STATUS_DONE_MASK, f"IRQ_STATUS is 0x{events:x}, expected DONE alone"
        await self.write(reg.IRQ_STATUS_OFFSET, events)
        await ClockCycles(self.dut.clk_i, 2)
        assert not self.dut.irq_o.value, "irq_o is high, expected low after its event was cleared"
        frame = await self.logits.recv()
        out = [await self.read(register_out + 4 * slot) for slot in range(SLOTS)]
        row = 4 * SLOTS
        assert len(frame.tdata) == row * VOCAB, f"{len(frame.tdata) // row} logits to tlast, expected {VOCAB}"
        return out, [int.from_bytes(frame.tdata[i : i + row], "little") for i in range(0, row * VOCAB, row)]


async def run(chip, first_clears=False):
    """Runs all tokens and compares what comes out; the first one clears the state, or finds it cleared."""
    tokens, expected = words("tokens.hex"), words("expected_tokens.hex")
    expected_logits = words("expected_logits.hex")
    for i in range(TOKENS):
        slots = slice(i * SLOTS, (i + 1) * SLOTS)
        out, logits = await chip.token(tokens[slots], clear=first_clears and i == 0)
        assert out == expected[slots], f"token {i}: TOKEN_OUT is {out}, expected {expected[slots]}"
        for row, (found, right) in enumerate(zip(logits, expected_logits[i * VOCAB : (i + 1) * VOCAB])):
            assert found == right, f"token {i}, row {row}: found 0x{found:x}, expected 0x{right:x}"
        chip.dut._log.info("token %d: %s in, %s out, %d logits", i, tokens[slots], out, len(logits) * SLOTS)


async def abort(chip):
    """Ends a token somewhere in its middle; its session is not sound then."""
    await chip.write(reg.CTRL_OFFSET, reg.CTRL_START_MASK)
    await ClockCycles(chip.dut.clk_i, random.randrange(1, 1000))
    await chip.write(reg.CTRL_OFFSET, reg.CTRL_ABORT_MASK)
    status = reg.STATUS_BUSY_MASK
    while status & reg.STATUS_BUSY_MASK:
        status = await chip.read(reg.STATUS_OFFSET)
    assert status == reg.STATUS_ABORTED_MASK, f"STATUS is 0x{status:x}, expected ABORTED alone"
    await chip.check(reg.INVALID_OFFSET, (1 << SLOTS) - 1)
    await chip.write(reg.STATUS_OFFSET, status)
    await chip.write(reg.IRQ_STATUS_OFFSET, reg.IRQ_STATUS_ERROR_MASK)
    await ClockCycles(chip.dut.clk_i, 2)


@cocotb.test()
async def tokens_are_those_of_the_golden_model(dut):
    chip = Chip(dut, stalls=False)
    await chip.start()
    await run(chip)


@cocotb.test()
async def pauses_and_an_abort_change_no_value(dut):
    chip = Chip(dut, stalls=True)
    await chip.start()
    await run(chip)
    await abort(chip)
    await run(chip, first_clears=True)
