"""Names of the steps of a build-up study."""

from __future__ import annotations

BARE, UP_TO = "bare", "up-to"
"""What their names say after the experiment's."""


def is_step(experiment: str, base: str) -> bool:
    """Whether EXPERIMENT is a step of building BASE up."""
    return experiment == f"{base}-{BARE}" or experiment.startswith(f"{base}-{UP_TO}-")
