"""The pictures of reports, through the functions of experiments.plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering import Safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.store import Run
    from vault_sync.context import Page


def loss_curves(page: Page, run: Run) -> Safe:
    """Show how a run learnt; empty where it did not train."""
    del page, run
    return Safe("")


def precision_recall(page: Page, run: Run) -> Safe:
    """Show precision against recall; empty where a run kept no match records."""
    del page, run
    return Safe("")


def precision_recall_of(page: Page, runs: Sequence[Run]) -> Safe:
    """Show the curves of several runs in one picture."""
    del page, runs
    return Safe("")


def size_against_ap(page: Page, runs: Sequence[Run]) -> Safe:
    """Show AP against size."""
    del page, runs
    return Safe("")
