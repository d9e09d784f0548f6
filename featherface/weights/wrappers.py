"""Finding a network's tensors among what training programs save beside and around them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    State = dict[str, Tensor]

AVERAGE, PLAIN = "average", "plain"
TAKES = (AVERAGE, PLAIN)
"""Which weights to take where a file holds both: the moving average of training, which programs
evaluate and publish, or those that the last step left."""
AVERAGES = (
    "state_dict_ema",
    "model_ema",
    "model_ema_state_dict",
    "ema_state_dict",
    "ema_model",
    "ema",
    "params_ema",
)
"""Keys of the moving average."""
WRAPPERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "module",
    "detector",
    "student",
)
"""Keys under which training programs put the weights among other things."""
PREFIXES = ("module.", "_orig_mod.", "student.", "model.", "net.", "network.", "detector.")
"""What parallelism, compilation, distillers and training frameworks put before every name."""
AVERAGE_PREFIXES = tuple(f"{key}." for key in AVERAGES)
DEEPEST = 4
"""Wrappers within wrappers that are looked into."""


@dataclass(frozen=True, kw_only=True)
class Unwrapped:
    """The tensors of a network, and what was around them."""

    tensors: Mapping[str, Tensor]
    wrapper: str | None = None
    """The key under which they were, several joined by dots; None where they were the file."""
    beside: tuple[str, ...] = ()
    """Keys beside it in the file."""
    prefixes: tuple[str, ...] = ()
    """Prefixes taken off every name."""
    strangers: tuple[str, ...] = ()
    """Tensors without such a prefix that were left out, counted by the first part of their name."""
    choice: tuple[str, str] | None = None
    """Where the file holds plain and averaged weights: which was taken, and what names the other
    one in the file."""


@dataclass(frozen=True)
class _Place:
    keys: tuple[str, ...]
    tensors: Mapping[str, Tensor]

    @property
    def name(self) -> str:
        return ".".join(self.keys)

    @property
    def kind(self) -> str:
        return AVERAGE if any(key in AVERAGES for key in self.keys) else PLAIN


def unwrapped(raw: Any, take: str = AVERAGE) -> Unwrapped:
    """Find the tensors by name in RAW, as a checkpoint was read; none where it holds none.

    Of plain and averaged weights TAKE's are taken; those that are there, where only one kind is.
    """
    places = list(_places(raw))
    if not places:
        return Unwrapped(tensors={})
    place, other = _chosen(places, take)
    choice = (place.kind, repr(other.name)) if other else None
    tensors, strangers = place.tensors, Counter[str]()
    prefixes: tuple[str, ...] = ()
    while prefix := _prefix(list(tensors), take):
        rival = _rival(list(tensors), prefix)
        if rival:
            choice = AVERAGE if prefix in AVERAGE_PREFIXES else PLAIN, f"{rival}*"
        strangers.update(
            name.split(".")[0] for name in tensors if not name.startswith((prefix, rival or prefix))
        )
        prefixes = (*prefixes, prefix)
        tensors = {
            name.removeprefix(prefix): value
            for name, value in tensors.items()
            if name.startswith(prefix)
        }
    return Unwrapped(
        tensors=tensors,
        wrapper=place.name or None,
        beside=tuple(str(key) for key in raw if key != place.keys[0]) if place.keys else (),
        prefixes=prefixes,
        strangers=tuple(f"{name} ({count:,})" for name, count in sorted(strangers.items())),
        choice=choice,
    )


def _places(raw: Any, keys: tuple[str, ...] = ()) -> Iterator[_Place]:
    """Yield where RAW holds tensors by name, the wrapped ones first."""
    if not isinstance(raw, dict) or len(keys) > DEEPEST:
        return
    wrapped = False
    for key in (*WRAPPERS, *AVERAGES):
        for place in _places(raw.get(key), (*keys, key)):
            wrapped = True
            yield place
    tensors = {str(key): value for key, value in raw.items() if isinstance(value, Tensor)}
    if tensors and not wrapped:  # beside wrapped weights lie learning rates, not weights
        yield _Place(keys, tensors)


def _chosen(places: Sequence[_Place], take: str) -> tuple[_Place, _Place | None]:
    """Return the place of TAKE's kind, and the first one of the other kind."""
    first = {kind: next((p for p in places if p.kind == kind), None) for kind in TAKES}
    other = PLAIN if take == AVERAGE else AVERAGE
    wanted, rival = first[take], first[other]
    return (wanted, rival) if wanted else (places[0], None)


def _prefix(names: Sequence[str], take: str) -> str | None:
    """Return the prefix to take off NAMES; None where none of them has one that is known."""
    plain = _first(names, PREFIXES)
    averaged = _first(names, AVERAGE_PREFIXES)
    return (averaged or plain) if take == AVERAGE else (plain or averaged)


def _rival(names: Sequence[str], prefix: str) -> str | None:
    return _first(names, PREFIXES if prefix in AVERAGE_PREFIXES else AVERAGE_PREFIXES)


def _first(names: Sequence[str], prefixes: Sequence[str]) -> str | None:
    """Return the first of PREFIXES behind which names of layers stand, which hold a dot."""
    return next(
        (p for p in prefixes if any(n.startswith(p) and "." in n.removeprefix(p) for n in names)),
        None,
    )
