"""Reading and writing checkpoints: safely, strictly, and reporting what was left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safetensors import SafetensorError
from safetensors.torch import save_file

from featherface.errors import NotFoundError, WeightsError
from featherface.filesystem.atomic import replacing
from featherface.filesystem.os_errors import told_in_words
from featherface.networks.detector import Detector, build
from featherface.variants.table import VARIANTS
from featherface.weights.checkpoint_key_maps import CLASSIFIER, COUNTERS, our_name
from featherface.weights.files import read_file
from featherface.weights.finite import check_finite
from featherface.weights.network_settings import (
    conflicts,
    network_settings,
    settings_metadata,
    shown,
)
from featherface.weights.wrappers import AVERAGE, PLAIN, unwrapped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn

    State = dict[str, Tensor]

BATCH_COUNTER = ".num_batches_tracked"
"""How the names of what batch norms count end."""
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
    strangers: tuple[str, ...] = ()
    """Tensors without that prefix, such as a teacher's, counted by the first part of the name."""
    choice: tuple[str, str] | None = None
    """Of plain and averaged weights: which were taken, and what names the others in the file."""
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
            f"left out tensors under {', '.join(self.strangers)}": bool(self.strangers),
            self._taken(): self.choice is not None,
            f"dropped {self.counters} keys of an operation counter": self.counters > 0,
            f"dropped {self.classifier} keys of a classifier": self.classifier > 0,
            f"renamed {self.renamed} published names to ours": self.renamed > 0,
        }
        return [sentence for sentence, true in said.items() if true]

    def _taken(self) -> str:
        taken, other = self.choice or (AVERAGE, "")
        rest = PLAIN if taken == AVERAGE else AVERAGE
        names = {AVERAGE: "moving average of the weights", PLAIN: "plain weights"}
        return (
            f"took the {names[taken]}; the file holds the {names[rest]} too, under {other}: take"
            f" them with thesis model import FILE --variant V --take {rest}"
        )


def read_state(path: Path, take: str = AVERAGE) -> tuple[State, Cleaning]:
    """Read the weights in PATH, by our names, and tell what was taken off.

    Where it holds plain weights and their moving average, TAKE's are read.

    Raises:
        NotFoundError: no such file.
        WeightsError: the file is damaged, holds no weights, or wants to run code.
    """
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "thesis model list shows what is known")
    return _clean(path, take)


def load_weights(
    model: nn.Module,
    path: Path,
    variant_name: str,
    *,
    to_train: bool = False,
    take: str = AVERAGE,
) -> Cleaning:
    """Load PATH into MODEL, every weight or none; of plain and averaged ones TAKE's.

    Counters of batches may be missing: nothing here reads them.

    Weights that belong to another variant of the same tensors are taken TO_TRAIN only: with other
    priors or activations they find something else, or nothing.

    Raises:
        WeightsError: the weights are another variant's (named where known), not readable, or
            not finite (the tensor is named).
    """
    state, cleaning = read_state(path, take)
    problems = _misfits(model.state_dict(), state)
    if problems:
        raise _misfit_error(path, variant_name, state, problems)
    check_finite(state, path)
    if not to_train:
        _check_variant(model, path, variant_name)
    model.load_state_dict(_with_batch_counters(state, model))
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
    check_finite(part, path)
    model.load_state_dict(part, strict=False)
    return cleaning


def save_weights(path: Path, model: nn.Module, metadata: Mapping[str, str] | None = None) -> None:
    """Write MODEL's weights as safetensors: all of the file or none of it.

    A detector's settings go into the file's metadata too.

    Raises:
        HeldError: another program holds PATH.
        UnavailableError: PATH can't be written.
    """
    settings = settings_metadata(model.config) if isinstance(model, Detector) else {}
    write_weights(path, weights_of(model), {**settings, **(metadata or {})})


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


def _clean(path: Path, take: str) -> tuple[State, Cleaning]:
    raw, metadata = read_file(path)
    inside = unwrapped(raw, take)
    if not inside.tensors:
        raise WeightsError(f"{path} holds no tensors by name", "give a checkpoint of a network")
    state: State = {}
    dropped: Counter[str] = Counter()
    for name, value in inside.tensors.items():
        kind = _kind(name)
        dropped[kind] += 1
        if kind == "weight":
            ours = our_name(name)
            dropped["renamed"] += ours != name
            state[ours] = value
    return state, Cleaning(
        wrapper=inside.wrapper,
        beside=inside.beside,
        prefixes=inside.prefixes,
        strangers=inside.strangers,
        choice=inside.choice,
        counters=dropped["counter"],
        classifier=dropped["classifier"],
        renamed=dropped["renamed"],
        metadata=metadata,
    )


def _kind(name: str) -> str:
    if name.rsplit(".", 1)[-1] in COUNTERS:
        return "counter"
    return "classifier" if name.startswith(CLASSIFIER) else "weight"


def _backbone(state: Mapping[str, Tensor]) -> State:
    return {name: value for name, value in state.items() if name.startswith(BACKBONE)}


def _with_batch_counters(state: State, model: nn.Module) -> State:
    """Add MODEL's own counters of batches where STATE, as files of some programs do, lacks them."""
    own = model.state_dict()
    return state | {n: own[n] for n in own if n.endswith(BATCH_COUNTER) and n not in state}


def _misfits(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """Say which names are missing, not wanted, or of another shape."""
    missing = [
        f"{name} is missing"
        for name in wanted
        if name not in given and not name.endswith(BATCH_COUNTER)
    ]
    extra = [f"{name} has no place" for name in given if name not in wanted]
    shapes = [
        f"{name} has shape {tuple(given[name].shape)}, not {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in given and given[name].shape != value.shape
    ]
    return missing + extra + shapes


def _check_variant(model: nn.Module, path: Path, variant_name: str) -> None:
    """Refuse weights that are known to be another variant's of the same tensors."""
    known = network_settings(path)
    if known is None or not isinstance(model, Detector) or variant_name not in VARIANTS:
        return
    differing = conflicts(model.config, known.config)
    if known.variant in ("", variant_name) or not differing:
        return
    needs = ", ".join(f"{key} {shown(theirs)}" for key, (_, theirs) in differing.items())
    raise WeightsError(
        f"{path} holds weights of {known.variant!r} ({known.origin}):"
        f" {variant_name!r} has the same tensors, but these need {needs}",
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
