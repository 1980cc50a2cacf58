"""The chip on a board with PYNQ. This is the only file that imports pynq."""

import asyncio

from .driver import Anser
from .errors import AnserError


class Interrupt:
    """pynq.Interrupt, which belongs to an event loop, as a call that waits."""

    def __init__(self, path):
        from pynq import Interrupt as PynqInterrupt

        self._interrupt = PynqInterrupt(path)
        self._loop = asyncio.get_event_loop()

    def wait(self, timeout_s):
        """Waits for the interrupt; returns whether it came in time."""
        try:
            self._loop.run_until_complete(asyncio.wait_for(self._interrupt.wait(), timeout_s))
            return True
        except asyncio.TimeoutError:
            return False


class Logits:
    """The receiving channel of pynq's DMA behind the logits stream."""

    def __init__(self, channel):
        self._channel = channel

    def transfer(self, buffer):
        self._channel.transfer(buffer)

    def wait(self):
        self._channel.wait()

    def cancel(self):
        self._channel.stop()
        self._channel.start()


def allocate(n_bytes):
    """Memory that processor and chip share, of whole pages."""
    import numpy as np
    from pynq import allocate as pynq_allocate

    return pynq_allocate(shape=(n_bytes,), dtype=np.uint8)


def open_overlay(bitstream, name="anser", interrupt="anser/irq_o", dma="logits_dma", **options):
    """Loads `bitstream` (with its .hwh beside it) and returns the chip in it, whose block is called `name`.

    `interrupt` None polls instead. If the design has a DMA engine `dma` behind the logits stream, sampling can use it.
    """
    from pynq import Overlay

    overlay = Overlay(str(bitstream))
    if name not in overlay.ip_dict:
        raise AnserError(f"{bitstream}: there is no block {name}, expected one of {', '.join(overlay.ip_dict)}")
    mmio = getattr(overlay, name).mmio
    logits = Logits(getattr(overlay, dma).recvchannel) if dma in overlay.ip_dict else None
    chip = Anser(mmio, allocate, interrupt=Interrupt(interrupt) if interrupt else None, logits=logits, **options)
    chip.overlay = overlay
    return chip
