"""Networks that stand for the others in tests that are dear; the rest run with --all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from featherface.variants.table import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from featherface.variants.table import Variant

FIRST = ("v1", "v2", "retinaface-mnet025")
"""The thesis's baseline, its student and the peer: they are compared everywhere."""
PARTS = ("backbone", "neck", "context")
"""Fields of a configuration in which networks differ by more than a gate or a width."""


def representatives(table: Mapping[str, Variant] = VARIANTS) -> list[str]:
    """Return FIRST and the fewest others of TABLE, by greed, whose parts are all that it has."""
    blocks = {
        name: {(part, getattr(variant.config, part)) for part in PARTS}
        for name, variant in table.items()
    }
    chosen = list(FIRST)
    missing = set().union(*blocks.values()).difference(*(blocks[name] for name in chosen))
    while missing:
        best = max(sorted(blocks), key=lambda name: len(blocks[name] & missing))
        chosen.append(best)
        missing -= blocks[best]
    return chosen


def every_network(usual: Iterable[str] | None = None) -> list[pytest.ParameterSet]:
    """Return each network to parametrise over: those not in USUAL (representatives) for --all."""
    usual = set(representatives() if usual is None else usual)
    return [
        pytest.param(name, marks=() if name in usual else pytest.mark.variants) for name in VARIANTS
    ]
