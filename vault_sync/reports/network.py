"""The summary of one network: components, drawing, pyramid levels, innovations; needs no run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, ThesisError, UsageError, unknown
from featherface.model_summary.summary_cache import SIDE, anatomy
from featherface.variants.idle_keys import without_idle
from featherface.variants.table import VARIANTS, variant
from vault_sync.rendering import network_tables as tables
from vault_sync.rendering import pictures
from vault_sync.rendering.labels import TABLE, captioned_table, new_label
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.network_tables import Subject, markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from experiments.records.run import Run
    from experiments.wording.tables import Table
    from featherface.model_summary.summary_types import Anatomy
    from featherface.variants.config import DetectorConfig
    from vault_sync.rendering.page import Page
    from vault_sync.rendering.words import Words

DRAWN = ("picture", "boxes", "classes", "landmarks", "anchors")
"""Words of the drawing that have the same key in `network`."""
GLOBAL = ("ultra-vit", "pyramid-attention")
"""Backbones and necks of linear attention."""
MEGA = 1e6


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/network.jinja shows; None where no network is named."""
    describe = partial(anatomy, folder=page.sources.cache / "networks")
    try:
        subject = _subject(page, describe)
    except UsageError as error:
        raise RefusedError(error.message, error.hint) from error
    if subject is None:
        return None
    words = page.words
    names = drawing_names(words)
    draw = partial(pictures.network_drawing, subject.anatomy, names, words.language)
    caption = words.say("network.figure", name=subject.name, size=Safe(subject.size))
    inputs = [repr(replace(subject.anatomy, layers=(), blocks=())), repr(names)]
    picture = page.picture(f"{page.block_id}-drawing", caption, inputs, draw, ["drawing"])
    layers = page.attributes.get("layers", "") == "all"
    return values(subject, words, describe, picture=picture, layers=layers, block_id=page.block_id)


def drawing_of(page: Page, run: Run, counts: Mapping[str, int]) -> Safe:
    """Draw the network of RUN where its components hold COUNTS parameters; else nothing.

    A record that counts otherwise is of a network that the code no longer builds.
    """
    try:
        config = _config_of(run)
        summary = anatomy(config, folder=page.sources.cache / "networks", height=SIDE, width=SIDE)
    except ThesisError:
        return Safe("")
    built = {part.component: part.parameters for part in summary.parts if part.parameters}
    if built != {name: count for name, count in counts.items() if count}:
        return Safe("")
    words, names = page.words, drawing_names(page.words)
    draw = partial(pictures.network_drawing, summary, names, words.language)
    size = Safe(f"{SIDE}×{SIDE}")
    caption = words.say("network.figure", name=run.variant or run.id, size=size)
    inputs = [repr(replace(summary, layers=(), blocks=())), repr(names)]
    file = f"{page.block_id}-{run.experiment}-drawing"
    return page.picture(file, caption, inputs, draw, ["drawing", run.experiment])


def values(
    subject: Subject,
    words: Words,
    describe: Callable[[DetectorConfig], Anatomy],
    *,
    picture: Safe = Safe(""),  # noqa: B008 - an immutable string
    mermaid: Safe = Safe(""),  # noqa: B008 - as above
    layers: bool = False,
    untrained: bool = False,
    block_id: str = "",
) -> dict[str, object]:
    """Return the template's values; DESCRIBE summarises SUBJECT with an innovation turned off.

    BLOCK_ID is that of the block whose tables they are; without one they get the ids that the
    network's own block would give them.
    """
    used: set[str] = set()

    def show(name: str, table: Table | None) -> Safe:
        if table is None:
            return Safe("")
        label = new_label(used, TABLE, block_id or f"network.{subject.name}", name)
        return captioned_table(markdown(table, words), Safe(table.title), label)

    summary, switches = subject.anatomy, tables.switches(subject, words, describe)
    source = VARIANTS[subject.variant].source if subject.variant else ""
    return {
        "name": Safe(subject.name),
        "about": words.name("about", subject.variant) if subject.variant else "",
        "size": Safe(subject.size),
        "source": source if "http" in source else "",
        **_figures(subject, words),
        "components": show("components", tables.components(subject, words)),
        "blocks": show("blocks", tables.blocks(subject, words)),
        "levels": show("levels", tables.levels(subject, words)),
        "switches": show("switches", switches),
        "layers": show("layers", tables.layers(subject, words)) if layers else "",
        "picture": picture,
        "mermaid": mermaid,
        "learnt": summary.fields[0].learnt,
        "adapted": subject.config.adaptive_priors,
        "effective": bool(subject.effective),
        "untrained": untrained,
    }


def drawing_names(words: Words) -> dict[str, str]:
    """Return the labels that `experiments.plotting.network_drawing` writes."""
    stages = {key: str(words.name("stage", key)) for key in words.keys("stage")}
    same = {key: str(words.say(f"network.{key}")) for key in DRAWN}
    blocks = {f"block {key}": str(words.name("drawn", key)) for key in words.keys("drawn")}
    return {
        **stages,
        **blocks,
        **same,
        "parameters": str(words.say("network.drawn_parameters")),
        "level": str(words.say("network.drawn_level")),
    }


def _figures(subject: Subject, words: Words) -> dict[str, object]:
    """Write the network's totals."""
    summary, number = subject.anatomy, words.number
    counted = summary.paper_counted
    attends = subject.config.backbone in GLOBAL or subject.config.neck in GLOBAL
    whole = words.say(f"network.whole_{'attention' if attends else 'pooling'}")
    return {
        "parameters": number(summary.parameters, ","),
        "paper": number(counted, ",") if counted else "",
        "macs": number(summary.macs, ".3G"),
        "fp32": number(summary.storage.fp32 / MEGA, ".2f"),
        "fp16": number(summary.storage.fp16 / MEGA, ".2f"),
        "int8": number(summary.storage.int8 / MEGA, ".2f"),
        "single": number(summary.storage.single, ","),
        "deformable": summary.fields[0].learnt,
        "whole": whole if any(field.whole for field in summary.fields) else "",
        "anchors": number(sum(level.count for level in summary.anchors), ","),
    }


def _subject(page: Page, describe: Callable[..., Anatomy]) -> Subject | None:
    """Find the network: of the run in `runs=`, or the variant at the end of the block's id."""
    height, width = _size(page)
    if page.selectors:
        (run, *_) = page.sources.select(page.selectors[:1])
        config = _config_of(run)
        same = run.variant in VARIANTS and VARIANTS[run.variant].config == config
        summary = describe(config, height=height, width=width)
        return Subject(run.id, config, summary, run.variant if same else "")
    _, _, name = page.block_id.partition(".")
    if not name:
        return None
    if name not in VARIANTS:
        raise RefusedError(unknown("variant", name, VARIANTS), "thesis model list")
    config = variant(name)
    return Subject(name, config, describe(config, height=height, width=width), name)


def _size(page: Page) -> tuple[int, int]:
    """Read `size=` of the marker: one side, or height and width joined by an x."""
    size = page.attributes.get("size", "")
    if not size:
        return SIDE, SIDE
    sides = size.lower().replace("×", "x").split("x")
    if not all(side.isdigit() for side in sides) or len(sides) > 2:
        raise RefusedError(f"size={size}: write it like 640 or 480x640", "correct the marker")
    return int(sides[0]), int(sides[-1])


def _config_of(run: Run) -> DetectorConfig:
    """Return the network's configuration as the run's recipe has it."""
    from experiments.recipe.model import ModelConfig  # noqa: PLC0415 - all configurations

    model: dict[str, Any] = dict(run.recipe.get("model") or {})
    others = {"variant", "weights", "backbone_weights"}
    overrides = {key: value for key, value in model.items() if key not in others}
    if run.variant in VARIANTS:
        overrides = without_idle(VARIANTS[run.variant].config, overrides)
    return ModelConfig(variant=run.variant, overrides=overrides).detector()
