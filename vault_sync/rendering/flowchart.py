"""The stages of a network as a Mermaid flowchart, which Obsidian draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.markdown import Safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featherface.model_summary.summary_types import StageSummary
    from vault_sync.rendering.network_tables import Subject
    from vault_sync.rendering.words import Words

LEVELS = (3, 4, 5)


def flowchart(subject: Subject, words: Words) -> Safe:
    """Write the stages of a network from top to bottom, in a fence."""
    lines = ["flowchart TB", *_lines(subject, words)]
    return Safe("\n".join(("```mermaid", *lines, "```")))


def _lines(subject: Subject, words: Words) -> Iterator[str]:
    yield f'  picture["{words.say("network.picture")}<br>{subject.size}×3"]'
    before = ["picture"]
    for stage in subject.anatomy.stages:
        nodes = _nodes(stage)
        label = _label(stage, words)
        yield from (f'  {node}["{label}"]' for node in nodes)
        yield from _edges(before, nodes, named=before == ["backbone"])
        if stage.skips:
            yield f"  backbone -. P3 .-> {stage.name}"
        before = nodes
    tasks = (("boxes", 4), ("classes", 2), ("landmarks", 10))
    outputs = ", ".join(f"{words.say(f'network.{task}')} ×{count}" for task, count in tasks)
    anchors = words.number(sum(level.count for level in subject.anatomy.anchors), ",")
    yield f'  answers["{anchors} {words.say("network.anchors")}<br>{outputs}"]'
    yield from _edges(before, ["answers"])


def _nodes(stage: StageSummary) -> list[str]:
    return [stage.name] if stage.joint else [f"{stage.name}{level}" for level in LEVELS]


def _label(stage: StageSummary, words: Words) -> str:
    times = f" ×{stage.times}" if stage.times > 1 else ""
    total = "" if stage.joint else "Σ "  # each of the three boxes names the sum of all
    counted = f"<br>{total}{words.number(stage.parameters, ',')}" if stage.parameters else ""
    return f"{words.name('stage', stage.name)}<br>{_named(stage, words)}{times}{counted}"


def _named(stage: StageSummary, words: Words) -> str:
    whole = words.find("drawn", stage.block)
    return whole or " + ".join(words.name("drawn", part) for part in stage.block.split(" + "))


def _edges(before: list[str], after: list[str], *, named: bool = False) -> Iterator[str]:
    """Join nodes level by level; from or to a joint one, all three levels."""
    for place, level in enumerate(LEVELS if len(before) * len(after) > 1 or named else (0,)):
        start, end = before[place % len(before)], after[place % len(after)]
        yield f"  {start} -- P{level} --> {end}" if named else f"  {start} --> {end}"
