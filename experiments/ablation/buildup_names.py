"""Names of the steps of a build-up study."""

from __future__ import annotations

BARE, UP_TO = "bare", "up-to"
"""Parts of a step's name, after the name of the base: `v2-bare`, `v2-up-to-KEY`."""


def is_step(experiment: str, base: str) -> bool:
    """Whether EXPERIMENT is a step of building BASE up."""
    return experiment == f"{base}-{BARE}" or experiment.startswith(f"{base}-{UP_TO}-")
