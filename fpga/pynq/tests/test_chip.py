"""The driver on the simulated chip: the text must be what the program anser writes, under any stalls.

The environment says what to run; tests/cli/overlay.rs sets it.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import types
import unittest

import numpy as np

from anser_pynq import Anser, Model, Sampler, generate, registers
from anser_pynq.errors import (
    Aborted,
    AnserError,
    BadToken,
    NoInterrupt,
    NotReady,
    ReadFailed,
    Refused,
    TimedOut,
    WrongChip,
    WrongModel,
)
from anser_pynq.simulated import SimulatedBoard

ANSER = os.environ["ANSER"]
CONFIG = os.environ["ANSER_PYNQ_CONFIG"]  # the configuration that the package was written for
CHECKPOINT = os.environ["ANSER_PYNQ_CHECKPOINT"]  # the model's file, as anser reads it
MODEL = Model.load(os.environ["ANSER_PYNQ_MODEL"])  # the same as `fpga overlay` wrote it
SEEDS = [int(seed) for seed in os.environ.get("ANSER_PYNQ_SEEDS", "1").split(",")]
TOKENS = int(os.environ.get("ANSER_PYNQ_TOKENS", "64"))
PROMPT = "ROMEO:"
STALL = 0.2


def golden(prompt, n):
    """What `anser generate` writes: tokens and text."""
    command = [ANSER, "generate", CHECKPOINT, "--backend", "golden", "--prompt", prompt, "--tokens", str(n), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def golden_after(tokens, n):
    """The same after a list of tokens."""
    prompt = ",".join(map(str, tokens))
    command = [ANSER, "generate", CHECKPOINT, "--backend", "golden", "--prompt-tokens", prompt, "--tokens", str(n), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def golden_logits(tokens):
    """The logits after a list of tokens, by `anser logits`."""
    tokens = ",".join(map(str, tokens))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "logits.npy"
        command = [ANSER, "logits", CHECKPOINT, "--backend", "golden", "--tokens", tokens, "--all", "-o", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        return np.load(path)[-1]


class Chip(unittest.TestCase):
    """Each test has a board of its own. At its end the chip must have refused nothing but what the test says."""

    stall, seed, refusals = 0.0, 0, 0

    def setUp(self):
        self.board = SimulatedBoard(CONFIG, self.stall, self.seed, program=ANSER)
        self.addCleanup(self.board.close)

    def open(self, interrupt=True, model=MODEL, **options):
        interrupt = self.board.interrupt if interrupt else None
        chip = Anser(self.board.mmio, self.board.allocate, interrupt=interrupt, logits=self.board.logits, **options)
        if model is not None:
            chip.load(model)
        return chip

    def tearDown(self):
        self.assertEqual(self.board.mmio.read(registers.REFUSED_OFFSET), self.refusals, "accesses that the chip refused")


class Text(Chip):
    def test_the_text_is_that_of_the_program_under_stalls(self):
        # polling is slow in simulation, where each access has its price
        for seed in SEEDS:
            for interrupt, tokens in ((True, TOKENS), (False, max(TOKENS // 8, 2))):
                answer = golden(PROMPT, tokens)
                self.assertEqual(len(answer["tokens"]), tokens)
                with self.subTest(seed=seed, interrupt=interrupt), SimulatedBoard(CONFIG, STALL, seed, program=ANSER) as board:
                    chip = Anser(board.mmio, board.allocate, interrupt=board.interrupt if interrupt else None)
                    chip.load(MODEL)
                    self.assertEqual("".join(generate(chip, PROMPT, tokens)), answer["text"])
                    before = board.accesses
                    chip.step(1)
                    self.assertEqual(chip.read("REFUSED"), 0)
                    if interrupt:
                        self.assertLess(board.accesses - before, 14, "accesses of a token that waits for the interrupt")

    def test_a_second_text_begins_anew_and_one_can_go_on(self):
        chip = self.open()
        first = "".join(generate(chip, PROMPT, 4))
        self.assertEqual("".join(generate(chip, PROMPT, 4)), first)
        more = "".join(generate(chip, "\n", 3, clear=False))
        self.assertEqual(more, golden_after(MODEL.text.encode(PROMPT) + golden(PROMPT, 4)["tokens"] + [10], 3)["text"])

    def test_a_text_ends_before_its_tokens_where_it_is_told(self):
        chip = self.open()
        whole = golden(PROMPT, 6)["text"]
        stop = whole[2:4]
        self.assertEqual("".join(generate(chip, PROMPT, 6, stop=stop)), whole[: whole.index(stop)])
        self.assertEqual("".join(generate(chip, PROMPT, 6, stop=whole[-1] + "?")), whole, "what was held back comes at the end")

    def test_logits_are_those_of_the_program_and_can_be_sampled(self):
        chip = self.open()
        chip.prefill(MODEL.text.encode(PROMPT), logits=True)
        logits = chip.last_logits()
        np.testing.assert_array_equal(logits.astype("<f4"), golden_logits(MODEL.text.encode(PROMPT)))
        token = Sampler(0.8, 0.9, seed=5).pick(logits)
        pieces = list(generate(chip, PROMPT, 3, Sampler(0.8, 0.9, seed=5)))
        if token < 128:  # else a part of a character
            self.assertEqual(pieces[0], chr(token))
        self.assertEqual(list(generate(chip, PROMPT, 3, Sampler(0.8, 0.9, seed=5))), pieces)

    def test_counters_are_of_the_last_token(self):
        chip = self.open()
        chip.prefill([1, 2])
        first = chip.counters()
        self.assertGreater(first["cycles"], first["weight_beats"])
        # it reads all of the image but the other rows of the embedding
        self.assertLess(first["weight_beats"] * 16, len(MODEL.image))
        self.assertGreater(first["weight_beats"] * 16, len(MODEL.image) // 4)
        chip.step(3)
        self.assertEqual(chip.counters()["cycles"], first["cycles"], "cycles do not depend on values")
        chip.step(3, head=False)
        self.assertLess(chip.counters()["cycles"], first["cycles"], "a token without the head takes fewer")


class Errors(Chip):
    def test_a_chip_of_another_configuration_is_refused(self):
        others = types.SimpleNamespace(**{**vars(registers), "CONFIG_FINGERPRINT_RESET": MODEL.fingerprint ^ 1})
        with self.assertRaisesRegex(WrongChip, "CONFIG.*another configuration"):
            self.open(model=None, registers=others)

    def test_what_is_no_chip_is_refused(self):
        class Nothing:
            def read(self, offset):
                return 0

        with self.assertRaisesRegex(WrongChip, "ID reads 0x00000000.*bitstream"):
            Anser(Nothing(), self.board.allocate)

    def test_a_model_of_another_configuration_is_refused(self):
        other = Model({**vars(MODEL), "fingerprint": MODEL.fingerprint ^ 1}, MODEL.image, MODEL.programs, MODEL.text)
        with self.assertRaisesRegex(WrongModel, "compiled for configuration"):
            self.open(model=other)

    def test_a_token_beyond_the_vocabulary_never_reaches_the_chip(self):
        chip = self.open()
        for token in (MODEL.vocabulary, -1):
            with self.assertRaisesRegex(BadToken, f"token {token}, expected 0 to {MODEL.vocabulary - 1}"):
                chip.step(token)
        with self.assertRaisesRegex(AnserError, "slot 1"):
            chip.step({1: 0})
        self.assertIn(0, chip.step(1))

    def test_what_the_chip_refuses_is_an_exception(self):
        chip = self.open()
        chip.write("TOKEN_IN", MODEL.vocabulary)
        with self.assertRaisesRegex(Refused, "refused a write"):
            chip.write("CTRL", registers.CTRL_START_MASK | registers.CTRL_CLEAR_MASK)
        self.assertTrue(chip.read("STATUS") & registers.STATUS_TOKEN_ERROR_MASK)
        self.refusals = 1

    def test_a_bus_error_ends_the_token_and_its_session_alone(self):
        for interrupt in (True, False):
            chip = self.open(interrupt)
            expected = "".join(generate(chip, PROMPT, 2))
            self.board.fail_read(1000)
            with self.assertRaisesRegex(ReadFailed, "READ_ERROR: memory answered.*clear the slots"):
                chip.step(1)
            with self.assertRaisesRegex(NotReady, "not sound"):
                chip.step(1)
            self.assertEqual("".join(generate(chip, PROMPT, 2)), expected)
            self.board.fail_read(1000)
            with self.assertRaisesRegex(ReadFailed, "READ_ERROR"):
                chip.step(1, logits=True)
            chip.clear()
            chip.step(1, logits=True)
            self.assertEqual(len(chip.last_logits()), MODEL.vocabulary)

    def test_the_watchdog_and_a_timeout_end_a_token(self):
        chip = self.open(watchdog_cycles=1000)
        with self.assertRaisesRegex(TimedOut, "TIMEOUT.*watchdog_cycles"):
            chip.step(1)
        chip = self.open(interrupt=False)
        chip.clear()
        chip.prefill([1])
        chip.timeout_s = 0.001
        with self.assertRaisesRegex(Aborted, "ABORTED"):
            for _ in range(20):
                chip.step(1)

    def test_an_interrupt_that_does_not_come_is_said(self):
        chip = self.open()
        chip.step(1)
        chip.timeout_s = 0.1
        chip.write("IRQ_ENABLE", 0)  # as if irq_o led nowhere
        with self.assertRaisesRegex(NoInterrupt, "how irq_o is connected"):
            chip.step(1)

    def test_what_is_not_ready_is_refused_before_the_chip_is_asked(self):
        chip = self.open(model=None)
        with self.assertRaisesRegex(NotReady, "load first"):
            chip.step(1)
        chip = Anser(self.board.mmio, self.board.allocate)
        chip.load(MODEL)
        with self.assertRaisesRegex(NotReady, "receiver"):
            chip.step(1, logits=True)
        if not chip.has_state_port and not chip.state_in_memory:
            with self.assertRaisesRegex(NotReady, "state_port"):
                chip.save_state()


if __name__ == "__main__":
    unittest.main()
