"""Keys of a network that nothing reads: accepted without a word they would look like a result.

`DetectorConfig` itself takes them, since a variant may carry a value that another of its blocks
would read; what is refused is to set one. `NEEDS` in `config` holds the keys that ask for a block.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from featherface.variants.config import DetectorConfig


class Reader(NamedTuple):
    """A block that reads a key."""

    key: str
    """The key that chooses it."""
    values: tuple[Any, ...]
    """Its values with which the other key is read; () for all but 0."""
    suggested: Any
    """The value to set where it shall be read."""


_CBAM = Reader("attention", ("cbam", "cbam-residual", "cbam-shared", "cbam-cascade"), "cbam")
_BIFPN = Reader("neck", ("bifpn", "bifpn-light", "bifpn-ultra"), "bifpn")

READERS: dict[str, tuple[Reader, ...]] = {
    "repeats": (_BIFPN,),
    "reduction": (
        _CBAM,
        Reader("context_attention", ("dynamic-channel",), "dynamic-channel"),
        Reader("channel_allocation", (True,), True),
    ),
    "attention_kernel": (_CBAM,),
    "norm_momentum": (_BIFPN, _CBAM),
    "context_groups": (Reader("context", ("ssh-grouped",), "ssh-grouped"),),
    "dropblock_size": (Reader("dropblock", (), 0.1),),
}
"""Keys that not every network reads, and the blocks that do; a test walks all keys of all variants
to see that no other is idle."""


def check_set(config: DetectorConfig, base: DetectorConfig, keys: Iterable[str]) -> None:
    """Refuse KEYS that CONFIG sets to another value than BASE has, though nothing reads them.

    Raises:
        UsageError: `model.attention_kernel is 5, but model.attention is eca-cbam`.
    """
    for key in keys:
        value, usual = getattr(config, key), getattr(base, key)
        if value != usual and not _is_read(config, key):
            readers = READERS[key]
            blocks = " and ".join(f"model.{r.key} is {_shown(config, r.key)}" for r in readers)
            raise UsageError(
                f"model.{key} is {value}, but {blocks}: nothing reads it",
                f"set model.{key}={usual}, or model.{readers[0].key}={readers[0].suggested}",
            )


def without_idle(base: DetectorConfig, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return OVERRIDES of BASE in which keys that nothing reads have BASE's value.

    The network is the same. Records of earlier versions may hold such keys.

    Raises:
        UsageError: the overrides are wrong in another way.
    """
    config = replace(base, **overrides)
    return {
        key: value if _is_read(config, key) else getattr(base, key)
        for key, value in overrides.items()
    }


def _is_read(config: DetectorConfig, key: str) -> bool:
    return any(_chosen(config, reader) for reader in READERS.get(key, ())) or key not in READERS


def _chosen(config: DetectorConfig, reader: Reader) -> bool:
    value = getattr(config, reader.key)
    return value in reader.values if reader.values else bool(value)


def _shown(config: DetectorConfig, key: str) -> str:
    return str(getattr(config, key)).lower()
