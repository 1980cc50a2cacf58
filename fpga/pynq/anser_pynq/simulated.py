"""A simulated chip with the interface of a board: the program `anser fpga bus`, which speaks the protocol of fpga/src/sim/bus.rs."""

import os
import struct
import subprocess
import time

import numpy as np

from .errors import AnserError, Refused


class SimulatedBoard:
    """Starts a simulated chip of `config`, with random stalls of probability `stall`. `program` is the anser program."""

    def __init__(self, config, stall=0.0, seed=0, program=None):
        program = program or os.environ.get("ANSER", "anser")
        command = [program, "fpga", "bus", "--config", str(config), "--stall", str(stall), "--seed", str(seed)]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise AnserError(f"{program} cannot be started: {error}; name the program in the environment variable ANSER") from error
        self.accesses = 0
        self.mmio = _Mmio(self)
        self.interrupt = _Interrupt(self)
        self.logits = _Logits(self)

    def request(self, kind, a=0, b=0, data=b""):
        """Sends a request; returns status, value and the bytes that came with them."""
        try:
            self._process.stdin.write(struct.pack("<cQQ", kind, a, b) + data)
            self._process.stdin.flush()
        except OSError as error:
            raise AnserError("the simulator has ended; what it wrote on standard error says why") from error
        status, value = struct.unpack("<BQ", self._read(9))
        if status == 2:
            raise AnserError("simulator: " + self._read(value).decode())
        return status, value

    def _read(self, n):
        data = self._process.stdout.read(n)
        if len(data) != n:
            raise AnserError("the simulator has ended; what it wrote on standard error says why")
        return data

    def allocate(self, n_bytes):
        address = self.request(b"A", n_bytes)[1]
        buffer = np.zeros(n_bytes, np.uint8).view(Buffer)
        buffer.board, buffer.physical_address = self, address
        return buffer

    def fail_read(self, beats=0):
        """Answers the beat that is read `beats` beats from now with an error."""
        self.request(b"F", beats)

    def cycles(self):
        """Clock cycles since the reset."""
        return self.request(b"C")[1]

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Mmio:
    def __init__(self, board):
        self._board = board

    def read(self, offset):
        self._board.accesses += 1
        status, value = self._board.request(b"R", offset)
        if status:
            raise Refused(f"the chip refused a read of {offset:#x}")
        return value

    def write(self, offset, value):
        self._board.accesses += 1
        if self._board.request(b"W", offset, int(value))[0]:
            raise Refused(f"the chip refused a write of {value:#x} to {offset:#x}")


class Buffer(np.ndarray):
    """Memory with a cache in front of it: the two sides see each other's bytes only after flush and invalidate."""

    board, physical_address = None, None

    def flush(self):
        data = self.tobytes()
        self.board.request(b"P", self.physical_address, len(data), data)

    def invalidate(self):
        n = self.board.request(b"G", self.physical_address, self.nbytes)[1]
        self[:] = np.frombuffer(self.board._read(n), np.uint8)

    def freebuffer(self):
        pass


class _Interrupt:
    CYCLES = 200_000  # at a time, a second or so: then the time is looked at, and a simulator without a host ends

    def __init__(self, board):
        self._board = board

    def wait(self, timeout_s):
        end = time.monotonic() + timeout_s
        while not self._board.request(b"I", self.CYCLES)[1]:
            if time.monotonic() > end:
                return False
        return True


class _Logits:
    """The receiving channel of a DMA engine behind the logits stream."""

    def __init__(self, board):
        self._board = board
        self._target = None

    def transfer(self, buffer):
        if self._target is not None:
            raise AnserError("a transfer is under way already")
        self._take()  # what nobody asked for
        self._target = buffer

    def wait(self):
        data = self._take()
        target, self._target = self._target, None
        if len(data) != target.nbytes:
            raise AnserError(f"{len(data)} bytes of logits came, expected {target.nbytes}")
        self._board.request(b"P", target.physical_address, len(data), data)

    def cancel(self):
        self._take()
        self._target = None

    def _take(self):
        return self._board._read(self._board.request(b"L")[1])
