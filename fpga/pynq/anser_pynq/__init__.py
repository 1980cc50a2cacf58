"""Drives an anser accelerator (RWKV-7): registers, memory, sessions, text."""

try:
    from . import registers
except ImportError as error:
    raise ImportError(
        "anser_pynq.registers is missing: the sources of the package do not hold it, because it belongs to a configuration; "
        "use the folder that `anser fpga overlay` writes"
    ) from error

from .driver import Anser, State
from .errors import AnserError
from .model import Model
from .text import Sampler, Utf8Stream, generate

__all__ = ["Anser", "AnserError", "Model", "Sampler", "State", "Utf8Stream", "generate", "registers"]
