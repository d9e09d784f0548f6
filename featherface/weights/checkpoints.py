"""Reading and writing checkpoints: safely, strictly, and reporting what was left out."""

from __future__ import annotations

import pickle
import re
import warnings
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from featherface.data.fingerprint import file_sha256
from featherface.errors import NotFoundError, WeightsError
from featherface.filesystem.atomic import replacing
from featherface.filesystem.os_errors import told_in_words
from featherface.networks.detector import build
from featherface.variants.table import VARIANTS
from featherface.weights.checkpoint_key_maps import (
    CLASSIFIER,
    COUNTERS,
    PREFIXES,
    WRAPPERS,
    our_name,
)
from featherface.weights.published_weights import recognised

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import nn

    State = dict[str, Tensor]

PICKLED = (b"PK", b"\x80")
"""How files of torch.save begin: archives, and plain pickles of protocol 2 and later."""
SOURCE_DIGEST = "source_sha256"
"""Key of a safetensors file: the digest of the published file that it was made from."""
BACKBONE = "backbone."
"""First part of the names of the backbone's weights."""


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """What was taken off a checkpoint to get at its weights."""

    wrapper: str | None = None
    """The key under which the weights were; None where they were the file itself."""
    beside: tuple[str, ...] = ()
    """What else the wrapper held, such as an optimizer."""
    prefixes: tuple[str, ...] = ()
    """Prefixes taken off every name."""
    counters: int = 0
    """Keys left by operation counters."""
    classifier: int = 0
    """Keys of an ImageNet classifier."""
    renamed: int = 0
    """Names that are published and have another name here."""
    metadata: Mapping[str, str] | None = None
    """What the file says about itself; safetensors only."""

    def sentences(self) -> list[str]:
        """Say what was taken off, for people; empty where nothing was."""
        said = {
            f"the weights were under {self.wrapper!r}": self.wrapper is not None,
            f"left out {', '.join(self.beside)}": bool(self.beside),
            f"stripped the prefix {', '.join(self.prefixes)}": bool(self.prefixes),
            f"dropped {self.counters} keys of an operation counter": self.counters > 0,
            f"dropped {self.classifier} keys of a classifier": self.classifier > 0,
            f"renamed {self.renamed} published names to ours": self.renamed > 0,
        }
        return [sentence for sentence, true in said.items() if true]


def read_state(path: Path) -> tuple[State, Cleaning]:
    """Read the weights in PATH, by our names, and tell what was taken off.

    Raises:
        NotFoundError: no such file.
        WeightsError: the file is damaged, holds no weights, or wants to run code.
    """
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "thesis model list shows what is known")
    if path.suffix == ".safetensors":
        raw, metadata = _read_safetensors(path)
    else:
        raw, metadata = _read_pickle(path), None
    return _clean(raw, path, metadata)


def load_weights(
    model: nn.Module, path: Path, variant_name: str, *, to_train: bool = False
) -> Cleaning:
    """Load PATH into MODEL, every weight or none.

    Weights that were published for another variant of the same tensors are taken TO_TRAIN only:
    with other priors or activations they find something else, or nothing.

    Raises:
        WeightsError: the weights are another variant's (named where known), or not readable.
    """
    state, cleaning = read_state(path)
    problems = _misfits(model.state_dict(), state)
    if problems:
        raise _misfit_error(path, variant_name, state, problems)
    if not to_train:
        _check_published(path, cleaning, variant_name)
    model.load_state_dict(state)
    return cleaning


def load_backbone(model: nn.Module, path: Path) -> Cleaning:
    """Load only the backbone's weights from PATH: an ImageNet backbone or a whole detector.

    Raises:
        WeightsError: PATH holds no backbone, or another one.
    """
    state, cleaning = read_state(path)
    part = _backbone(state)
    problems = _misfits(_backbone(model.state_dict()), part)
    if problems:
        raise WeightsError(
            f"{path} holds no backbone that fits: {problems[0]}",
            "give an ImageNet backbone or a detector with the same backbone",
        )
    model.load_state_dict(part, strict=False)
    return cleaning


def save_weights(path: Path, model: nn.Module, metadata: Mapping[str, str] | None = None) -> None:
    """Write MODEL's weights as safetensors: all of the file or none of it.

    Raises:
        HeldError: another program holds PATH.
        UnavailableError: PATH can't be written.
    """
    write_weights(path, weights_of(model), metadata)


def weights_of(model: nn.Module) -> State:
    """Return MODEL's weights on the CPU; they change with it where it is there already."""
    return {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}


def write_weights(path: Path, state: State, metadata: Mapping[str, str] | None = None) -> None:
    """Write STATE as `save_weights` does those of a model."""
    with replacing(path) as temporary:
        try:
            save_file(state, temporary, dict(metadata or {}))
        except SafetensorError as error:
            raise told_in_words(str(error)) from error


def fitting_variants(state: Mapping[str, Tensor]) -> list[str]:
    """Return the variants whose names and shapes are exactly those of STATE."""
    return [
        name
        for name, entry in VARIANTS.items()
        if not _misfits(build(entry.config).state_dict(), state)
    ]


def _read_safetensors(path: Path) -> tuple[State, dict[str, str] | None]:
    from safetensors import safe_open  # noqa: PLC0415 - only where the file is one

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        # Copies: what is loaded maps the file, and Windows replaces and removes no mapped one.
        return {name: value.clone() for name, value in load_file(path).items()}, metadata
    except (SafetensorError, OSError) as error:
        raise _damaged(path, error) from error


def _read_pickle(path: Path) -> Any:
    """Unpickle tensors and plain containers, and refuse everything else."""
    try:
        with warnings.catch_warnings():
            # Other pickle protocols either load or are refused below: no need to guess aloud.
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
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


def _clean(raw: Any, path: Path, metadata: dict[str, str] | None) -> tuple[State, Cleaning]:
    inner, wrapper = _unwrap(raw)
    if not inner:
        raise WeightsError(f"{path} holds no tensors by name", "give a checkpoint of a network")
    names, prefixes = _strip(list(inner))
    state: State = {}
    dropped: Counter[str] = Counter()
    for old, name in zip(list(inner), names, strict=True):
        kind = _kind(name)
        dropped[kind] += 1
        if kind == "weight":
            ours = our_name(name)
            dropped["renamed"] += ours != name
            state[ours] = inner[old]
    return state, Cleaning(
        wrapper=wrapper,
        beside=tuple(key for key in raw if key != wrapper) if wrapper else (),
        prefixes=prefixes,
        counters=dropped["counter"],
        classifier=dropped["classifier"],
        renamed=dropped["renamed"],
        metadata=metadata,
    )


def _unwrap(raw: Any) -> tuple[State, str | None]:
    """Return the tensors by name and the key they were under."""
    if not isinstance(raw, dict):
        return {}, None
    for key in WRAPPERS:
        if isinstance(raw.get(key), dict):
            return _tensors(raw[key]), key
    return _tensors(raw), None


def _tensors(mapping: Mapping[Any, Any]) -> State:
    return {str(key): value for key, value in mapping.items() if isinstance(value, Tensor)}


def _strip(names: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Take off the prefixes that every name has."""
    prefixes: list[str] = []
    while prefix := next((p for p in PREFIXES if all(n.startswith(p) for n in names)), None):
        names = [name.removeprefix(prefix) for name in names]
        prefixes.append(prefix)
    return names, tuple(prefixes)


def _kind(name: str) -> str:
    if name.rsplit(".", 1)[-1] in COUNTERS:
        return "counter"
    return "classifier" if name.startswith(CLASSIFIER) else "weight"


def _backbone(state: Mapping[str, Tensor]) -> State:
    return {name: value for name, value in state.items() if name.startswith(BACKBONE)}


def _misfits(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """Say which names are missing, not wanted, or of another shape."""
    missing = [f"{name} is missing" for name in wanted if name not in given]
    extra = [f"{name} has no place" for name in given if name not in wanted]
    shapes = [
        f"{name} has shape {tuple(given[name].shape)}, not {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    return missing + extra + shapes


def _check_published(path: Path, cleaning: Cleaning, variant_name: str) -> None:
    """Refuse weights that are known to be another variant's of the same tensors."""
    digest = (cleaning.metadata or {}).get(SOURCE_DIGEST) or file_sha256(path)
    known = recognised(digest)
    if known is None or known.variant == variant_name or variant_name not in VARIANTS:
        return
    ours, theirs = VARIANTS[variant_name].config, VARIANTS[known.variant].config
    differing = [
        f"{field.name} {getattr(theirs, field.name)}"
        for field in fields(theirs)
        if getattr(theirs, field.name) != getattr(ours, field.name)
    ]
    raise WeightsError(
        f"{path} holds the weights that were published for {known.variant!r} ({known.title}):"
        f" {variant_name!r} has the same tensors, but these need {', '.join(differing)}",
        f"use --variant {known.variant}, or in a recipe model.variant: {known.variant}",
    )


def _misfit_error(path: Path, variant_name: str, state: State, problems: list[str]) -> WeightsError:
    fitting = fitting_variants(state)
    message = f"{path} does not fit {variant_name!r}: {len(problems)} differences"
    if fitting:
        names = " or ".join(repr(name) for name in fitting)
        return WeightsError(f"{message}; it fits {names}", f"use --variant {fitting[0]}")
    return WeightsError(
        f"{message}, the first: {problems[0]}; it fits no known variant",
        "thesis model list shows the variants; check the file's origin",
    )
