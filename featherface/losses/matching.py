"""The table of assignments, by the names of `train.loss.assignment`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from featherface.losses.assignment import assign
from featherface.losses.atss import assign_atss
from featherface.losses.simota import assign_simota

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from featherface.geometry.priors import Levels
    from featherface.losses.assignment import Assignment, Targets


class MatchingInputs(NamedTuple):
    """Arguments of a matching strategy, for a batch of B pictures and P priors."""

    priors: Tensor
    """(P, 4) centre form, shares of the picture."""
    levels: Levels
    """How the priors are laid out."""
    targets: Targets
    overlap: float
    """IoU from which a prior is trained as the face."""
    boxes: Tensor
    """(B, P, 4) predicted deltas."""
    logits: Tensor
    """(B, P, 2)."""
    variances: tuple[float, float]


MATCHINGS: dict[str, Callable[[MatchingInputs], Assignment]] = {
    "overlap": lambda given: assign(given.priors, given.targets, given.overlap),
    "atss": lambda given: assign_atss(given.priors, given.levels, given.targets),
    "simota": lambda given: assign_simota(
        given.priors, given.levels, given.targets, given.boxes, given.logits, given.variances
    ),
}
