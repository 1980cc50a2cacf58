"""A model as `anser fpga overlay` writes it: a folder with model.json and arrays that numpy reads."""

import hashlib
import json
import pathlib

import numpy as np

from .errors import WrongModel
from .text import Bytes, Numbers, Vocabulary

FORMAT = 1
# the order in which PROG_SELECT numbers them
UNITS = ("dma", "mat", "vec", "wkv")


class Model:
    """What a host needs of a model: image, programs, and what is in model.json as attributes."""

    def __init__(self, about, image, programs, tokenizer):
        self.__dict__.update(about)
        self.image = image  # bytes of the weight stream, mapped from the file
        self.programs = programs  # words of the four programs
        self.text = tokenizer

    @classmethod
    def load(cls, folder, check=True):
        """Reads the model in `folder`. `check` compares the image with its hash: a damaged image would give wrong text in silence."""
        folder = pathlib.Path(folder)
        try:
            about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WrongModel(f"{folder / 'model.json'}: {error}; expected a folder that `anser fpga overlay` wrote") from error
        if about.get("format") != FORMAT:
            raise WrongModel(f"{folder}: model.json has format {about.get('format')}, expected {FORMAT}: write the folder with this version of anser")
        image = _array(folder / "image.npy", np.uint8, about["image_bytes"])
        if check and hashlib.sha256(image).hexdigest() != about["image_sha256"]:
            raise WrongModel(f"{folder / 'image.npy'}: the hash differs from that in model.json: copy the folder again")
        programs = [_array(folder / f"program_{unit}.npy", np.uint32, n) for unit, n in zip(UNITS, about["program_words"])]
        return cls(about, image, programs, _tokenizer(folder, about))


def _array(path, dtype, length=None):
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise WrongModel(f"{path}: {error}: copy the folder again") from error
    if array.dtype != dtype or array.ndim != 1 or (length is not None and len(array) != length):
        raise WrongModel(f"{path}: {array.dtype} {array.shape}, expected {length} of {np.dtype(dtype)}: copy the folder again")
    return array


def _tokenizer(folder, about):
    size, end = about["vocabulary"], about["end_of_text"]
    if about["tokenizer"] == "bytes":
        return Bytes(size)
    if about["tokenizer"] == "numbers":
        return Numbers(size)
    ends = _array(folder / "vocabulary_ends.npy", np.uint32, size).tolist()
    joined = _array(folder / "vocabulary_bytes.npy", np.uint8, ends[-1] if ends else 0).tobytes()
    return Vocabulary([joined[a:b] for a, b in zip([0] + ends, ends)], end)
