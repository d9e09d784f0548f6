"""Reports, one module each, whose `build` gathers the values of its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.reports import (
    ablation,
    architecture,
    baseline,
    comparison,
    dashboard,
    exports,
    format_matrix,
    gallery,
    hypotheses,
    milestones,
    network,
    performance,
    pipeline,
    progress,
    protocol,
    published_results,
    run,
    weekly,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.rendering.page import Page

REPORTS: dict[str, Callable[[Page], dict[str, object] | None]] = {
    "run": run.build,
    "performance": performance.build,
    "comparison": comparison.build,
    "milestones": milestones.build,
    "pipeline": pipeline.build,
    "cited": published_results.build,
    "progress": progress.build,
    "protocol": protocol.build,
    "architecture": architecture.build,
    "network": network.build,
    "exports": exports.build,
    "matrix": format_matrix.build,
    "ablation": ablation.build,
    "baseline": baseline.build,
    "hypotheses": hypotheses.build,
    "dashboard": dashboard.build,
    "weekly": weekly.build,
    "gallery": gallery.build,
}
"""Template name -> what gathers its values; None means that there is nothing to say yet."""
