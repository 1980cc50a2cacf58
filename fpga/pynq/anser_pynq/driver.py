"""The chip through its registers, in the order of docs/hardware.md.

The driver never asks for what the chip would refuse: it looks first, and raises. On a board a refused write (SLVERR) may stop the whole
system, because the processor learns of it when it has gone on.
"""

import time

import numpy as np

from . import registers as own_registers
from .errors import AnserError, BadToken, Hangs, NoInterrupt, NotReady, WrongChip, WrongModel, of_status


# seconds within which memory answers what the chip has asked of it
ABORT_S = 5.0


class State:
    """The state of a conversation, and which model it belongs to."""

    def __init__(self, model, elements):
        self.model, self.elements = model, elements

    def save(self, path):
        np.savez(path, model=np.array(self.model), elements=self.elements)

    @classmethod
    def load(cls, path):
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(str(file["model"]), file["elements"])
        except (OSError, ValueError, KeyError) as error:
            raise WrongModel(f"{path}: {error}; expected a file that State.save wrote") from error


class Anser:
    """A chip.

    mmio       has read(offset) and write(offset, value), such as pynq.MMIO
    allocate   gives a buffer of n bytes: a numpy array of bytes with physical_address, flush() and invalidate(), such as pynq.allocate's
    interrupt  has wait(timeout_s), which returns whether the interrupt came; without it the driver polls
    logits     has transfer(buffer), wait() and cancel(), as board.Logits around pynq's DMA; without it there is no sampling
    timeout_s  seconds after which a token is aborted
    watchdog_cycles  the most cycles the chip lets a token take; 0: no limit
    """

    def __init__(self, mmio, allocate, interrupt=None, logits=None, timeout_s=30.0, watchdog_cycles=0, registers=own_registers):
        self.registers, self.timeout_s = registers, timeout_s
        self._mmio, self._allocate, self._interrupt, self._logits = mmio, allocate, interrupt, logits
        self.model = None
        self._buffers = []
        for name, field, what in (
            ("ID", "VALUE", "no anser chip answers at this address: is the bitstream loaded, and the address that of the block?"),
            ("VERSION", "VALUE", "the registers have another version: build bitstream and package with the same anser"),
            ("CONFIG", "FINGERPRINT", "the chip is of another configuration: write the package with the configuration of the bitstream"),
        ):
            found, expected = self.read(name), getattr(registers, f"{name}_{field}_RESET")
            if found != expected:
                raise WrongChip(f"register {name} reads {found:#010x}, expected {expected:#010x}: {what}")
        self.slots = registers.ACTIVE_SLOTS_MASK.bit_count() if self._has("ACTIVE") else 1
        self.state_in_memory = self._has("STATE_BASE_LO")
        self.has_state_port = self._has("STATE_AT")
        if self.read("STATUS") & registers.STATUS_BUSY_MASK:
            self.abort()  # somebody left it so
        self._clear_errors()
        self.write("WATCHDOG", watchdog_cycles)
        enable = registers.IRQ_ENABLE_DONE_MASK | registers.IRQ_ENABLE_ERROR_MASK
        self.write("IRQ_ENABLE", enable if interrupt is not None else 0)
        self._active = self.read("ACTIVE") if self._has("ACTIVE") else 1
        if self._has("PREFILL"):
            self.write("PREFILL", 0)
        # slots to clear before their next token
        self._fresh = set(range(self.slots))
        self._logits_row, self._logits_of, self._states = None, {}, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends what runs, and gives the memory back."""
        if self.read("STATUS") & self.registers.STATUS_BUSY_MASK:
            self.abort()
        self.write("IRQ_ENABLE", 0)
        self._free()

    # registers

    def _has(self, name):
        return hasattr(self.registers, f"{name}_OFFSET")

    def _offset(self, name):
        return getattr(self.registers, f"{name}_OFFSET")

    def read(self, name, index=0):
        """Reads a register by its name in docs/hardware.md."""
        return int(self._mmio.read(self._offset(name) + 4 * index))

    def write(self, name, value, index=0):
        """Writes a register by its name."""
        self._mmio.write(self._offset(name) + 4 * index, int(value))

    def _write_address(self, name, address):
        if address % 64:
            raise AnserError(f"memory at {address:#x}, expected a multiple of 64: the buffer must begin with a page")
        low, high = f"{name}_LO", f"{name}_HI"
        mask = getattr(self.registers, f"{high}_BASE_MASK") if self._has(high) else 0
        if address >> 32 > mask:
            raise AnserError(f"memory at {address:#x} is beyond the addresses of the chip, expected less than {(mask + 1) << 32:#x}")
        self.write(low, address & 0xFFFF_FFFF)
        if mask:
            self.write(high, address >> 32)

    def _clear_errors(self):
        r = self.registers
        bits = sum(v for k, v in vars(r).items() if k.startswith("STATUS_") and k.endswith("_MASK"))
        self.write("STATUS", bits & ~(r.STATUS_BUSY_MASK | r.STATUS_DONE_MASK))
        self.write("IRQ_STATUS", r.IRQ_STATUS_DONE_MASK | r.IRQ_STATUS_ERROR_MASK)

    # a model

    def load(self, model):
        """Puts `model` into memory and into the chip; every conversation begins anew."""
        expected = self.read("CONFIG")
        if model.fingerprint != expected:
            raise WrongModel(
                f"model {model.name} was compiled for configuration {model.config} ({model.fingerprint:#010x}), the chip is {expected:#010x}: "
                "write the model with the configuration of the bitstream"
            )
        if model.vocabulary > self.registers.TOKEN_LIMIT_TOKENS_MASK:
            raise WrongModel(f"model {model.name} has {model.vocabulary} tokens, the chip takes {self.registers.TOKEN_LIMIT_TOKENS_MASK}")
        self._idle()
        self._free()
        image = self._buffer(len(model.image))
        image[:] = model.image
        image.flush()
        self._write_address("IMAGE_BASE", image.physical_address)
        self.write("TOKEN_LIMIT", model.vocabulary)
        select, data = self._offset("PROG_SELECT"), self._offset("PROG_DATA")
        for unit, words in enumerate(model.programs):
            self._mmio.write(select, unit)
            for word in words.tolist():
                self._mmio.write(data, word)
        self.model = model
        self._states = []
        if self.state_in_memory:
            self._states = [self._buffer(model.state_bytes) for _ in range(self.slots)]
            for slot, state in enumerate(self._states):
                self._attach(slot, state)
        if self._logits is not None:
            self._logits_row = self._buffer(4 * self.slots * model.vocabulary)
        self._fresh = set(range(self.slots))

    def _buffer(self, n_bytes):
        buffer = self._allocate(n_bytes)
        self._buffers.append(buffer)
        return buffer

    def _free(self):
        for buffer in self._buffers:
            buffer.freebuffer()
        self._buffers, self._logits_row, self.model = [], None, None

    def _attach(self, slot, state):
        if self._has("STATE_SLOT"):
            self.write("STATE_SLOT", slot)
        self._write_address("STATE_BASE", state.physical_address)

    # sessions

    def clear(self, slots=None):
        """Begins a new conversation in `slots`, or in all of them: with the next token of each."""
        for slot in range(self.slots) if slots is None else slots:
            self._check_slot(slot)
            self._fresh.add(slot)

    def save_state(self, slot=0):
        """The state of the conversation in `slot`, to go on from with `load_state`."""
        self._check_state(slot)
        if slot in self._fresh:
            elements = np.zeros(self._state_elements(), "<i4")
        elif self.state_in_memory:
            self._states[slot].invalidate()
            elements = np.array(self._states[slot], copy=True).view("<i4")
        else:
            elements = np.empty(self._state_elements(), "<i4")
            data = self._offset("STATE_DATA")
            for place, part in self._parts(elements):
                self.write("STATE_AT", place)
                part[:] = np.array([self._mmio.read(data) for _ in range(len(part))], "<u4").view("<i4")
        return State(self.model.image_sha256, elements)

    def load_state(self, state, slot=0):
        """Puts a saved state in `slot`; its next token goes on from there."""
        self._check_state(slot)
        if state.model != self.model.image_sha256:
            raise WrongModel(f"the state belongs to another model (image {state.model[:12]}…) than {self.model.name} ({self.model.image_sha256[:12]}…)")
        elements = np.ascontiguousarray(state.elements, "<i4")
        if elements.shape != (self._state_elements(),):
            raise WrongModel(f"the state has the shape {elements.shape}, expected {self._state_elements()} elements")
        self._fresh.discard(slot)
        if self.state_in_memory:
            self._states[slot][:] = elements.view(np.uint8)
            self._states[slot].flush()
        else:
            data = self._offset("STATE_DATA")
            for place, part in self._parts(elements):
                self.write("STATE_AT", place)
                for word in part.view("<u4").tolist():
                    self._mmio.write(data, word)
        self.write("INVALID", 1 << slot)

    def _state_elements(self):
        m = self.model
        return m.n_layer * (2 * m.n_embd + m.n_embd * m.head_size)

    def _parts(self, elements):
        """The parts of a state that lie in one piece on the chip: what STATE_AT selects them with, and their elements."""
        m, s, at = self.model, self.model.n_embd * self.model.head_size, 0
        for layer, (att, ffn) in enumerate(m.session_vectors):
            for place, n in ((att, m.n_embd), (self.registers.STATE_AT_S_MASK | layer * s, s), (ffn, m.n_embd)):
                yield place, elements[at : at + n]
                at += n

    def _check_state(self, slot):
        self._check_slot(slot)
        if not (self.state_in_memory or self.has_state_port):
            raise NotReady('this chip has no way to its state: build it from a configuration with state = "memory" or state_port = true')
        self._idle()

    # tokens

    def step(self, tokens, head=True, logits=False):
        """Runs a token in each slot of `tokens` (slot to token, or the token of slot 0) in one pass over the weights.

        Returns the most likely next token of each of these slots, by slot; without `head` the pass ends before the head and there is none.
        With `logits` those of the pass are kept for `last_logits`.
        """
        tokens = {0: tokens} if isinstance(tokens, (int, np.integer)) else dict(tokens)
        if not tokens:
            raise BadToken("no slot has a token, expected at least one")
        for slot, token in tokens.items():
            self._check(slot, token)
        self._check_logits(head, logits)
        self._begin(tokens)
        self._set_active(sum(1 << slot for slot in tokens))
        self._run(tokens, tokens, head, logits)
        return {slot: self._token_out(slot) if head else None for slot in tokens}

    def prefill(self, tokens, slot=0, logits=False):
        """Reads `tokens` in `slot` and returns the most likely token after them. With several slots so many tokens go through the chip at once."""
        tokens = list(tokens)
        if not tokens:
            raise BadToken("no tokens, expected at least one")
        for token in tokens:
            self._check(slot, token)
        self._check_logits(True, logits)
        n, at, answer = self.slots, 0, None
        while at < len(tokens):
            side_by_side = n > 1 and len(tokens) - at >= n
            group = tokens[at : at + (n if side_by_side else 1)]
            at += len(group)
            last = at == len(tokens)
            if side_by_side:
                answer = self._side_by_side(group, slot, last, logits and last)
            else:
                answer = self.step({slot: group[0]}, last, logits and last)[slot]
        return answer

    def _side_by_side(self, group, home, head, logits):
        self._begin([home])
        r = self.registers
        self.write("PREFILL", home << r.PREFILL_HOME_SHIFT | r.PREFILL_ON_MASK)
        try:
            places = {(home + i) % self.slots: token for i, token in enumerate(group)}
            self._run(places, [home], head, logits)
            end = (home + len(group) - 1) % self.slots
            if logits:
                self._logits_of[home] = self._logits_of[end]
            return self._token_out(end) if head else None
        finally:
            if not self.read("STATUS") & r.STATUS_BUSY_MASK:
                self.write("PREFILL", 0)

    def last_logits(self, slot=0):
        """Logits of the last token of `slot` that was run with `logits`, as floating-point numbers."""
        row = self._logits_of.get(slot) if self._logits_row is not None else None
        if row is None:
            raise NotReady(f"there are no logits of slot {slot}: they come with step(…, logits=True)")
        return row * 2.0**-self.model.logit_frac_bits

    def counters(self):
        """What the chip counted in the last token, by the names of docs/hardware.md in lower case."""
        count = (n[: -len("_COUNT_MASK")] for n in vars(self.registers) if n.endswith("_COUNT_MASK"))
        return {name.lower(): self.read(name) for name in count}

    def _check_slot(self, slot):
        if self.model is None:
            raise NotReady("no model is loaded: call load first")
        if not 0 <= slot < self.slots:
            raise AnserError(f"slot {slot}, expected 0 to {self.slots - 1}")

    def _check(self, slot, token):
        self._check_slot(slot)
        if not 0 <= token < self.model.vocabulary:
            raise BadToken(f"token {token}, expected 0 to {self.model.vocabulary - 1}, the vocabulary of {self.model.name}")

    def _check_logits(self, head, logits):
        if logits and self._logits_row is None:
            raise NotReady("the logits do not reach memory: the chip was opened without a receiver for their stream (logits=)")
        if logits and not head:
            raise NotReady("a token without the head has no logits")

    def _set_active(self, mask):
        if mask != self._active:
            self.write("ACTIVE", mask)
            self._active = mask

    def _begin(self, slots):
        """Clears those of `slots` that wait for it. Where the state lies in memory, the clear comes with the slot's next token."""
        self._idle()
        fresh = [slot for slot in slots if slot in self._fresh]
        if fresh:
            self._set_active(sum(1 << slot for slot in fresh))
            self.write("CTRL", self.registers.CTRL_CLEAR_MASK)
            self._wait_idle()
            self._fresh -= set(fresh)
        bad = [slot for slot in slots if self.read("INVALID") >> slot & 1]
        if bad:
            raise NotReady(f"the session in slot {bad[0]} is not sound, because a token of it was ended: clear the slot, or put a saved state back")

    def _run(self, tokens, mine, head, logits):
        """Starts the tokens that are in place, and waits for them. `mine` are the slots whose sessions change."""
        r = self.registers
        start = r.CTRL_START_MASK
        if not head:
            start |= r.CTRL_NO_HEAD_MASK
        if logits:
            start |= r.CTRL_LOGITS_MASK
            self._logits.transfer(self._logits_row)
        self._logits_of = {}
        for slot, token in tokens.items():
            if self.slots == 1:
                self.write("TOKEN_IN", token)
            else:
                self.write("TOKENS_IN", token, slot)
        self._clear_errors()
        self.write("CTRL", start)
        try:
            status = self._wait_idle(self._interrupt is not None)
            if not status & r.STATUS_DONE_MASK:
                raise of_status(status, r)
        except BaseException:
            if logits:
                self._logits.cancel()  # what comes of the packet has no end
            raise
        finally:
            self.write("IRQ_STATUS", r.IRQ_STATUS_DONE_MASK | r.IRQ_STATUS_ERROR_MASK)  # a level: it would stay
        if logits:
            self._logits.wait()
            self._logits_row.invalidate()
            rows = np.asarray(self._logits_row).view("<i4").reshape(self.model.vocabulary, self.slots)
            self._logits_of = {slot: rows[:, slot].copy() for slot in tokens}

    def _token_out(self, slot):
        return self.read("TOKEN_OUT") if self.slots == 1 else self.read("TOKENS_OUT", slot)

    def _idle(self):
        if self.read("STATUS") & self.registers.STATUS_BUSY_MASK:
            raise NotReady("the chip is busy: wait for it, or call abort")

    def _wait_idle(self, by_interrupt=False):
        """Waits until the chip is idle and returns STATUS. What takes longer than the timeout is aborted. A clear raises no interrupt."""
        r, end = self.registers, time.monotonic() + self.timeout_s
        while (status := self.read("STATUS")) & r.STATUS_BUSY_MASK:
            left = end - time.monotonic()
            if left <= 0:
                self.abort()
                return self.read("STATUS")
            if by_interrupt:
                if not self._interrupt.wait(left) and not self.read("STATUS") & r.STATUS_BUSY_MASK:
                    raise NoInterrupt("the token is over, but its interrupt did not come: check how irq_o is connected, or poll (interrupt=None)")
        return status

    def abort(self):
        """Ends what the chip does. The slots at work must be cleared, or get a saved state, before they go on."""
        r = self.registers
        self.write("CTRL", r.CTRL_ABORT_MASK)
        end = time.monotonic() + max(self.timeout_s, ABORT_S)
        while self.read("STATUS") & r.STATUS_BUSY_MASK:
            if time.monotonic() > end:
                raise Hangs("memory does not answer the chip, so an abort cannot end: load the bitstream again")
