"""The outcome of one check of a record."""

from __future__ import annotations

from dataclasses import dataclass

HELD, FAILED, NOT_DONE = OUTCOMES = ("held", "failed", "not done")
"""What became of a check. `not done`: the detail says what it lacked."""


@dataclass(frozen=True)
class ProofOutcome:
    """What one check said of a record."""

    check: str
    """Its name, a key of `experiments.proof.checks.CHECKS`."""
    outcome: str
    """One of OUTCOMES."""
    detail: str = ""
    """What was compared, or what was wrong, or what was lacking."""
    path: str = ""
    """File of the record that is wrong; empty where none is."""
