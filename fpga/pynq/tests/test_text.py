"""Text without a chip: tokenizers, the choice of a token, characters of several bytes."""

import json
import os
import pathlib
import unittest

import numpy as np

from anser_pynq import Model, Sampler, Utf8Stream
from anser_pynq.errors import AnserError, BadToken, WrongModel
from anser_pynq.text import Bytes, Numbers, Vocabulary

WORLD = os.environ["ANSER_PYNQ_WORLD"]  # a model with the World vocabulary
ENCODINGS = os.environ["ANSER_PYNQ_ENCODINGS"]  # texts and their tokens


class Tokens(unittest.TestCase):
    def test_the_world_vocabulary_encodes_as_it_should(self):
        text = Model.load(WORLD).text
        cases = json.loads(pathlib.Path(ENCODINGS).read_text())
        self.assertGreater(len(cases), 50)
        for case in cases:
            data = bytes.fromhex(case["bytes_hex"])
            self.assertEqual(text.encode(data), case["ids"], data)
            self.assertEqual(b"".join(text.decode(token) for token in case["ids"]), data)
        self.assertEqual(text.end_of_text, 0)
        self.assertEqual(text.decode(0), b"")
        self.assertEqual(text.decode(65535), "\ufffd".encode())

    def test_numbers_and_bytes(self):
        self.assertEqual(Numbers(100).encode("17 4,99"), [17, 4, 99])
        for bad in ("100", "a", "-1", "\u00b2"):
            with self.assertRaisesRegex(BadToken, "below 100"):
                Numbers(100).encode(bad)
        self.assertEqual(Bytes().encode("a\u00e9"), [97, 195, 169])
        with self.assertRaisesRegex(BadToken, "0x62"):
            Vocabulary([b"", b"a"]).encode("ab")

    def test_a_character_waits_for_its_last_byte(self):
        stream = Utf8Stream()
        self.assertEqual([stream.push(bytes([b])) for b in "a\u20acb".encode()], ["a", "", "", "\u20ac", "b"])
        self.assertEqual(stream.push(b"\xe2\x82"), "")
        self.assertEqual(stream.finish(), "\ufffd")


class Choice(unittest.TestCase):
    def test_greedy_takes_the_first_of_equal_ones(self):
        self.assertEqual(Sampler().pick(np.array([1.0, 3.0, 3.0])), 1)

    def test_tokens_come_as_often_as_their_probabilities_say(self):
        logits = np.log([0.5, 0.3, 0.2])
        sampler = Sampler(temperature=1.0, seed=3)
        counts = np.bincount([sampler.pick(logits) for _ in range(20_000)], minlength=3) / 20_000
        # four standard deviations of the most uncertain one: 4 * sqrt(0.25 / 20000)
        self.assertLess(np.abs(counts - [0.5, 0.3, 0.2]).max(), 0.0142)

    def test_top_p_leaves_out_what_is_not_needed_to_reach_it(self):
        logits = np.log([0.2, 0.5, 0.3])
        picked = lambda top_p: {Sampler(1.0, top_p, seed).pick(logits) for seed in range(200)}
        self.assertEqual((picked(0.4), picked(0.6), picked(1.0)), ({1}, {1, 2}, {0, 1, 2}))

    def test_what_is_out_of_range_is_refused(self):
        for temperature, top_p in ((-1, 1), (float("nan"), 1), (1, 0), (1, 1.5)):
            with self.assertRaisesRegex(AnserError, "expected"):
                Sampler(temperature, top_p)


class Files(unittest.TestCase):
    def test_a_damaged_model_is_refused(self):
        import shutil
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "model"
            shutil.copytree(WORLD, copy)
            image = copy / "image.npy"
            data = bytearray(image.read_bytes())
            data[-1] ^= 1
            image.write_bytes(data)
            with self.assertRaisesRegex(WrongModel, "hash"):
                Model.load(copy)
            image.write_bytes(data[:-64])
            with self.assertRaisesRegex(WrongModel, "copy the folder again"):
                Model.load(copy)
            about = json.loads((copy / "model.json").read_text())
            (copy / "model.json").write_text(json.dumps({**about, "format": 99}))
            with self.assertRaisesRegex(WrongModel, "format 99"):
                Model.load(copy)
        with self.assertRaisesRegex(WrongModel, "model.json"):
            Model.load(folder)


if __name__ == "__main__":
    unittest.main()
