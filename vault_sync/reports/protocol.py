"""The training protocol: how each network was trained, from the recipes of its sealed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.comparison.recipe_differences import defaults
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import Page
from vault_sync.rendering.setting_words import setting_name, setting_value
from vault_sync.reports.sections.protocol_rows import (
    GROUPS,
    KNOWN,
    SECTIONS,
    has_more,
    has_teacher,
    weights_scores,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

BROAD = 4
"""Runs that one table holds."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/protocol.jinja shows; None before the first training."""
    chosen = page.sources.select(page.selectors) if page.selectors else []
    runs = chosen or page.sources.latest_where(trained)
    page.sources.check(runs)
    runs = [run for run in runs if trained(run)]
    if not runs:
        return None
    parts = [runs[at : at + BROAD] for at in range(0, len(runs), BROAD)]
    return {
        "tables": [
            _table(page.about(part[0].experiment if len(parts) > 1 else ""), part) for part in parts
        ],
        "taught": any(has_teacher(run) for run in runs),
        "soft": any(has_teacher(run) and weights_scores(run) for run in runs),
        "more": page.words.listing([page.run_in_prose(run) for run in runs if has_more(run)]),
    }


def trained(run: Run) -> bool:
    """Whether RUN's own training was finished."""
    stage = run.record.stages.get("train")
    return stage is not None and stage.status == "done"


def _table(page: Page, runs: Sequence[Run]) -> Safe:
    words = page.words
    rows: list[list[object]] = []
    for heading in GROUPS:
        lines = [*_named_rows(page, runs, heading), *_other_settings(page, runs, heading)]
        if lines:
            title = Safe(f"**{words.say(f'training.{heading}')}**")
            rows += [[title, *("" for _ in runs)], *lines]
    headers: list[object] = [words.say("column.setup"), *(page.run(run) for run in runs)]
    return page.table("protocol", headers, rows)


def _named_rows(page: Page, runs: Sequence[Run], heading: str) -> Iterator[list[object]]:
    """Yield the rows under HEADING that at least one run fills."""
    for name, write in GROUPS[heading].items():
        cells = [write(page, run) for run in runs]
        if any(cells):
            title = page.words.say(f"training.{name}")
            yield [title, *(cell or page.words.say("none") for cell in cells)]


def _other_settings(page: Page, runs: Sequence[Run], heading: str) -> list[list[object]]:
    """List, as recipes call them, settings without a row of their own that say something."""
    section = SECTIONS.get(heading)
    if section is None:
        return []
    named, settings = KNOWN[section], [run.recipe.get(section) or {} for run in runs]
    usual = [defaults(run.variant) for run in runs]
    keys = dict.fromkeys(
        key
        for values, idle in zip(settings, usual, strict=True)
        for key in values
        if key not in named and not _says_nothing(values[key], idle.get(f"{section}.{key}", ...))
    )
    return [
        [
            setting_name(page.words, f"{section}.{key}"),
            *(
                setting_value(page.words, f"{section}.{key}", values.get(key))
                for values in settings
            ),
        ]
        for key in keys
    ]


def _says_nothing(value: object, usual: object) -> bool:
    """Whether VALUE is the USUAL one, which is `...` where nobody knows it."""
    return value == usual or (not value and usual == [])
