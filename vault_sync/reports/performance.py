"""The performance chapter: what each experiment's latest run measured, with its curves."""

from __future__ import annotations

from vault_sync.rendering.page import Group, Page, group
from vault_sync.reports.gallery import shown_elsewhere
from vault_sync.reports.sections.comparison_cache import intervals
from vault_sync.reports.sections.drawing import precision_recall
from vault_sync.reports.sections.efficiency import efficiency_table, published
from vault_sync.reports.sections.measures import accuracy_table, cost_table, faces
from vault_sync.reports.sections.speed import speed


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/performance.jinja shows; None before the first run."""
    selectors = page.selectors or _from_id(page)
    runs = page.sources.select(selectors)
    if not runs:
        return None
    return {
        "groups": [_group_section(page, members) for members in group(runs, page.words)],
        "passed_over": [] if selectors else page.sources.notes_on(runs),
    }


def _group_section(page: Page, members: Group) -> dict[str, object]:
    page = page.within(members)
    pictures = [precision_recall(page, run) for run in members.runs if members.evaluated]
    return {
        "claim": members.claim,
        "faces": faces(page, members.runs),
        "accuracy": accuracy_table(page, members.runs),
        "sure": any(intervals(page, run) for run in members.runs),
        "costs": cost_table(page, members.runs),
        "efficiency": efficiency_table(page, members.runs, published(members.runs)),
        "speed": speed(page, members.runs),
        "pictures": [picture for picture in pictures if picture],
        "mistakes": [part for run in members.runs for part in shown_elsewhere(page, run)],
    }


def _from_id(page: Page) -> list[str]:
    """Read `results.v2` as a block about v2."""
    _, _, selector = page.block_id.partition("results.")
    return [selector] if selector else []
