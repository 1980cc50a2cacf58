"""What can go wrong, each with what to do about it."""


class AnserError(Exception):
    """Everything that this package raises by itself."""


class WrongChip(AnserError):
    """The registers are not those of the chip that this package was written for."""


class WrongModel(AnserError):
    """A model that does not belong to this chip, or files that are not whole."""


class NotReady(AnserError):
    """Something that the chip would refuse in the state it is in. Nothing was written to it."""


class BadToken(AnserError):
    """A token that is not in the vocabulary. Nothing was written to the chip."""


class Refused(AnserError):
    """The chip answered an access with an error (SLVERR). On a board such an answer stops the program, or the system."""


class TokenEnded(AnserError):
    """A token ended with an error. The sessions of its slots are lost: clear them, or put a saved state back."""


class ReadFailed(TokenEnded):
    """READ_ERROR: memory answered with an error."""


class Aborted(TokenEnded):
    """ABORTED: the token was ended from outside."""


class TimedOut(TokenEnded):
    """TIMEOUT: the token took as many cycles as the watchdog allows."""


class TokenRefused(TokenEnded):
    """TOKEN_ERROR: the chip refused a token for its number."""


class NoInterrupt(AnserError):
    """A token was over, and the interrupt that says so did not come."""


class Hangs(AnserError):
    """The chip did not become idle, and an abort did not help."""


# each error bit of STATUS: its exception, and what it means for whoever reads it
STATUS_ERRORS = {
    "READ_ERROR": (
        ReadFailed,
        "memory answered an access of the chip with an error; check that the addresses of image and states can be reached through the chip's port, "
        "then clear the slots and go on",
    ),
    "ABORTED": (Aborted, "the token was aborted; clear the slots and go on"),
    "TIMEOUT": (
        TimedOut,
        "the token took as many cycles as the watchdog allows; allow more (watchdog_cycles) or find out why memory is slow, then clear the slots",
    ),
    "TOKEN_ERROR": (TokenRefused, "a token is not below TOKEN_LIMIT, the size of the vocabulary of the model that was loaded"),
}


def of_status(status, registers):
    """The exception for a value of STATUS after a token without DONE."""
    names = [name for name in STATUS_ERRORS if status & getattr(registers, f"STATUS_{name}_MASK")]
    if not names:
        return Hangs(f"the chip is idle without DONE and without an error bit (STATUS {status:#x}): was it reset by someone else?")
    kind = STATUS_ERRORS[names[0]][0]
    return kind("; ".join(f"{name}: {STATUS_ERRORS[name][1]}" for name in names))
