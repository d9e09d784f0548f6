"""Reading files of weights, told by what they hold and not by their name, and running no code."""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from featherface.errors import WeightsError

if TYPE_CHECKING:
    from pathlib import Path

PICKLED = (b"PK", b"\x80")
"""How files of torch.save begin: archives, and plain pickles of protocol 2 and later."""
LENGTH = 8
"""Bytes of the length of a safetensors file's header, which begins with a brace."""


def read_file(path: Path) -> tuple[Any, dict[str, str] | None]:
    """Return what PATH holds, and what a safetensors file says about itself.

    Raises:
        WeightsError: it is damaged, no file of weights, or wants to run code.
    """
    with path.open("rb") as file:
        start = file.read(LENGTH + 1)
    if _is_safetensors(start, path.stat().st_size):
        return _read_safetensors(path)
    if path.suffix == ".safetensors" and not start.startswith(PICKLED):
        return _read_safetensors(path)  # damaged: its own error says how
    return _read_pickle(path), None


def _is_safetensors(start: bytes, size: int) -> bool:
    """Whether a file of SIZE bytes that begins with START is one; its length may look as a pickle.

    As a length the first bytes of a pickle or an archive reach far beyond any file.
    """
    return start[LENGTH:] == b"{" and int.from_bytes(start[:LENGTH], "little") <= size - LENGTH


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str] | None]:
    from safetensors import safe_open  # noqa: PLC0415 - only where the file is one

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        # Copies: what is loaded maps the file, and Windows replaces and removes no mapped one.
        return {name: value.clone() for name, value in load_file(path).items()}, metadata
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error


def _read_pickle(path: Path) -> Any:
    """Unpickle tensors, plain containers, and values that hold no code; refuse everything else."""
    try:
        with (
            path.open("rb") as file,  # of a path torch.load would believe the ending
            warnings.catch_warnings(),
            torch.serialization.safe_globals(_harmless()),
        ):
            # Other pickle protocols either load or are refused below: no need to guess aloud.
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if wanted := _wanted_code(str(error), path):
            raise WeightsError(
                f"{path} wants to run code on loading ({wanted}); it is refused",
                "a weights file needs tensors only: ask its author for a safetensors file, or "
                "save model.state_dict() again where you trust the code",
            ) from error
        raise _damaged(path, error) from error
    except MemoryError:
        raise
    except Exception as error:  # bytes that are no pickle can fail in any way
        raise WeightsError(
            f"{path} can't be read as weights: no PyTorch checkpoint, or a damaged one",
            "give a .pth, .pt or .safetensors file; or download or copy it again",
        ) from error


def _harmless() -> list[Any]:
    """List what lies beside weights and only holds values: numbers of NumPy, parsed arguments.

    NumPy 2 pickles its functions by names that NumPy 1 lacks, and files of both are about.
    """
    scalar = type(np.float64(0)).__reduce__(np.float64(0))[0]
    rebuild = np.empty(0).__reduce__()[0]
    named = [
        (function, f"numpy.{core}.multiarray.{name}")
        for core in ("core", "_core")
        for function, name in ((scalar, "scalar"), (rebuild, "_reconstruct"))
    ]
    kinds = {type(np.dtype(letter)) for letter in np.typecodes["All"] if letter != "O"}
    return [*named, np.ndarray, np.dtype, *kinds, argparse.Namespace]


def _wanted_code(message: str, path: Path) -> str | None:
    """Find in PyTorch's MESSAGE what the pickle asked for; None where it is no pickle."""
    if match := re.search(r"GLOBAL (\S+)|unrecognized function (\S+)", message):
        return match[1] or match[2]
    with path.open("rb") as file:
        pickled = file.read(2).startswith(PICKLED)
    return "a class it brings" if pickled and "Unsupported" in message else None


def _damaged(path: Path, error: Exception) -> WeightsError:
    reason = (str(error) or type(error).__name__).splitlines()[0][:200]
    return WeightsError(
        f"{path} can't be read as weights: {reason}", "download or copy the file again"
    )
