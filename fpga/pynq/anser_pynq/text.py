"""Text to tokens and back, the choice of a token, and text as it is written."""

import codecs

import numpy as np

from .errors import AnserError, BadToken


class Bytes:
    """A token is a byte."""

    end_of_text = None

    def __init__(self, size=256):
        self.size = size

    def encode(self, text):
        return list(text.encode() if isinstance(text, str) else text)

    def decode(self, token):
        return bytes([token]) if token < 256 else "\ufffd".encode()


class Numbers:
    """Tokens are written as numbers, such as `17 4 1999`."""

    end_of_text = None

    def __init__(self, size):
        self.size = size

    def encode(self, text):
        words = (text if isinstance(text, str) else text.decode()).replace(",", " ").split()
        for word in words:
            if not (word.isascii() and word.isdigit() and int(word) < self.size):
                raise BadToken(f"a model without a tokenizer takes numbers; {word[:40]!r} is not a number below {self.size}")
        return [int(word) for word in words]

    def decode(self, token):
        return f"{token} ".encode()


class Vocabulary:
    """A list of tokens, such as the World vocabulary. At each place of a text the longest token that fits is taken."""

    def __init__(self, tokens, end_of_text=None):
        self.size, self.tokens, self.end_of_text = len(tokens), tokens, end_of_text
        # a trie of two levels: the first two bytes lead to the lengths of the tokens that begin so, longest first, and a token to its number
        self.numbers = {token: number for number, token in enumerate(tokens) if token}
        lengths = {}
        for token in self.numbers:
            lengths.setdefault(token[:2], set()).add(len(token))
        self.lengths = {start: sorted(those, reverse=True) for start, those in lengths.items()}

    def encode(self, text):
        data = text.encode() if isinstance(text, str) else bytes(text)
        out, at = [], 0
        while at < len(data):
            for length in self.lengths.get(data[at : at + 2], ()):
                number = self.numbers.get(data[at : at + length])
                if number is not None:
                    break
            else:
                number, length = self.numbers.get(data[at : at + 1]), 1
                if number is None:
                    raise BadToken(f"the vocabulary has no token for the byte {data[at]:#04x}")
            out.append(number)
            at += length
        return out

    def decode(self, token):
        if token == self.end_of_text:
            return b""
        return self.tokens[token] or "\ufffd".encode()


class Utf8Stream:
    """Joins the bytes of successive tokens to text; the beginning of a character waits for the rest of it."""

    def __init__(self):
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, data):
        return self._decoder.decode(data)

    def finish(self):
        return self._decoder.decode(b"", final=True)


class Sampler:
    """Chooses a token. `temperature` 0 takes the most likely one; `top_p` keeps the likeliest whose probabilities first add up to it."""

    def __init__(self, temperature=0.0, top_p=1.0, seed=0):
        if not (np.isfinite(temperature) and temperature >= 0):
            raise AnserError(f"temperature {temperature}, expected 0 or more")
        if not 0 < top_p <= 1:
            raise AnserError(f"top_p {top_p}, expected above 0, up to 1")
        self.temperature, self.top_p = float(temperature), float(top_p)
        self._random = np.random.default_rng(seed)

    @property
    def greedy(self):
        return self.temperature == 0

    def pick(self, logits):
        """The next token by floating-point `logits`."""
        if self.greedy:
            return int(np.argmax(logits))  # the first of equal ones, as on the chip
        weights = np.exp((logits - logits.max()) / self.temperature)
        # equal ones stay in the order of the tokens
        order = np.argsort(-weights, kind="stable")
        shares = weights[order] / weights.sum()
        kept = min(int(np.searchsorted(np.cumsum(shares), self.top_p)) + 1, len(order)) if self.top_p < 1 else len(order)
        sums = np.cumsum(shares[:kept])
        return int(order[min(int(np.searchsorted(sums, self._random.random() * sums[-1], side="right")), kept - 1)])


def generate(chip, prompt, n, sampler=None, slot=0, clear=True, stop=None):
    """Reads `prompt` (text, bytes or tokens) in `slot`, then gives pieces of the text that the model writes, up to `n` tokens, as they come.

    The text ends before `n` tokens at the vocabulary's end of text, or before `stop`, which is not given. With `clear` it begins a new conversation;
    without, it goes on. Greedy choices come from the chip; others need its logits, so `chip` must have their stream.
    """
    sampler = sampler or Sampler()
    text = chip.model.text
    tokens = text.encode(prompt) if isinstance(prompt, (str, bytes)) else list(prompt)
    if not tokens:
        raise BadToken("the prompt is empty, expected at least one token")
    if clear:
        chip.clear([slot])
    want = not sampler.greedy
    stream, stops = Utf8Stream(), _Stop(stop)
    answer = chip.prefill(tokens, slot, logits=want)
    for i in range(n):
        token = sampler.pick(chip.last_logits(slot)) if want else answer
        if token == text.end_of_text:
            break
        piece = stops.push(stream.push(text.decode(token)))
        if piece:
            yield piece
        if stops.found:
            return
        # the last token is read too, so that the conversation can go on
        answer = chip.step({slot: token}, head=i + 1 < n, logits=want and i + 1 < n)[slot]
    rest = stops.push(stream.finish())
    if not stops.found:
        rest += stops.held
    if rest:
        yield rest


class _Stop:
    """Ends a text before `stop`; what may be the beginning of it is held back."""

    def __init__(self, stop):
        self.stop, self.held, self.found = stop or "", "", False

    def push(self, piece):
        if not self.stop:
            return piece
        text = self.held + piece
        at = text.find(self.stop)
        if at >= 0:
            self.found, self.held = True, ""
            return text[:at]
        begun = next((n for n in range(min(len(self.stop) - 1, len(text)), 0, -1) if self.stop.startswith(text[-n:])), 0)
        self.held = text[len(text) - begun :]
        return text[: len(text) - begun]
