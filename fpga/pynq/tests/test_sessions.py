"""Sessions: slots beside each other, prompts side by side, states that are saved and put back.

Runs on any configuration that has a way to its states; the environment is that of test_chip.py.
"""

import pathlib
import tempfile
import unittest

import numpy as np

from anser_pynq import Anser, State, registers
from anser_pynq.errors import NotReady, ReadFailed, WrongModel
from anser_pynq.simulated import SimulatedBoard
from test_chip import ANSER, CONFIG, MODEL, STALL, golden_after, golden_logits

SLOTS = registers.ACTIVE_SLOTS_MASK.bit_count() if hasattr(registers, "ACTIVE_OFFSET") else 1
# tokens of the texts, which have different lengths, so that prompts leave a rest
TEXTS = [[(7 * slot + 3 * i + 1) % MODEL.vocabulary for i in range(5 + slot)] for slot in range(SLOTS)]


class Sessions(unittest.TestCase):
    def setUp(self):
        self.board = SimulatedBoard(CONFIG, STALL, 7, program=ANSER)
        self.addCleanup(self.board.close)
        self.chip = Anser(self.board.mmio, self.board.allocate, interrupt=self.board.interrupt, logits=self.board.logits)
        self.chip.load(MODEL)

    def tearDown(self):
        self.assertEqual(self.chip.read("REFUSED"), 0)

    def write(self, slots, n):
        """`n` tokens after the text of each slot, in one pass for all."""
        out = {slot: [self.chip.prefill(TEXTS[slot], slot)] for slot in slots}
        for _ in range(n - 1):
            answers = self.chip.step({slot: out[slot][-1] for slot in slots})
            for slot in slots:
                out[slot].append(answers[slot])
        return out

    def same_logits(self, chip, slot, read):
        """Compares the logits of `slot`, in which the tokens `read` were read; tokens alone hide a state that is a little wrong."""
        np.testing.assert_array_equal(chip.last_logits(slot).astype("<f4"), golden_logits(read))

    def expected(self, slot, n):
        return golden_after(TEXTS[slot], n)["tokens"]

    def test_texts_beside_each_other_are_those_of_the_program(self):
        slots = range(SLOTS)
        out = self.write(slots, 4)
        for slot in slots:
            self.assertEqual(out[slot], self.expected(slot, 4), f"slot {slot}")
        self.chip.step({slot: out[slot][-1] for slot in slots}, logits=True)
        for slot in slots:
            self.same_logits(self.chip, slot, TEXTS[slot] + out[slot])

    def test_the_logits_of_a_prompt_are_those_of_the_program(self):
        for slot in range(SLOTS):
            # with and without a rest that is read token by token
            for tokens in (TEXTS[slot][:4], TEXTS[slot][:5]):
                self.chip.clear([slot])
                self.chip.prefill(tokens, slot, logits=True)
                self.same_logits(self.chip, slot, tokens)

    def test_one_slot_is_cleared_and_the_others_go_on(self):
        first = self.write(range(SLOTS), 2)
        self.chip.clear([0])
        again = [self.chip.prefill(TEXTS[0], 0)]
        self.assertEqual(again, first[0][:1])
        for slot in range(1, SLOTS):
            self.assertEqual(self.chip.step({slot: first[slot][-1]}, logits=True)[slot], self.expected(slot, 3)[-1], f"slot {slot}")
            self.same_logits(self.chip, slot, TEXTS[slot] + first[slot])

    def test_a_state_goes_out_and_into_another_chip(self):
        slot = SLOTS - 1
        out = self.write([slot], 2)[slot]
        saved = self.chip.save_state(slot)
        after = self.chip.step({slot: out[-1]})[slot]
        self.assertEqual(after, self.expected(slot, 3)[-1])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "state.npz"
            saved.save(path)
            back = State.load(path)
        np.testing.assert_array_equal(back.elements, saved.elements)
        self.assertGreater(np.count_nonzero(saved.elements), len(saved.elements) // 2)
        with SimulatedBoard(CONFIG, STALL, 9, program=ANSER) as board:
            chip = Anser(board.mmio, board.allocate, logits=board.logits)
            chip.load(MODEL)
            self.assertFalse(chip.save_state(0).elements.any(), "before its first token a conversation has zeros")
            chip.load_state(back, 0)
            np.testing.assert_array_equal(chip.save_state(0).elements, saved.elements)
            self.assertEqual(chip.step({0: out[-1]}, logits=True)[0], after)
            self.same_logits(chip, 0, TEXTS[slot] + out)
            self.assertEqual(chip.read("REFUSED"), 0)

    def test_a_state_replaces_a_session_that_was_lost(self):
        out = self.write([0], 2)[0]
        saved = self.chip.save_state(0)
        self.board.fail_read(3)
        with self.assertRaises(ReadFailed):
            self.chip.step({0: out[-1]})
        with self.assertRaisesRegex(NotReady, "put a saved state back"):
            self.chip.step({0: out[-1]})
        self.chip.load_state(saved, 0)
        self.assertEqual(self.chip.step({0: out[-1]}, logits=True)[0], self.expected(0, 3)[-1])
        self.same_logits(self.chip, 0, TEXTS[0] + out)

    def test_a_state_of_another_model_is_refused(self):
        saved = self.chip.save_state(0)
        with self.assertRaisesRegex(WrongModel, "another model"):
            self.chip.load_state(State("0" * 64, saved.elements), 0)
        with self.assertRaisesRegex(WrongModel, "elements"):
            self.chip.load_state(State(saved.model, saved.elements[1:]), 0)


if __name__ == "__main__":
    unittest.main()
