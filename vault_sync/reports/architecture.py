"""The architectures of benchmarked networks: parameters by component, operations, design."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from featherface.variants.config import DetectorConfig
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe, code
from vault_sync.rendering.page import Page
from vault_sync.rendering.setting_words import setting_value
from vault_sync.reports.network import drawing_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

COMPONENTS = (
    "backbone",
    "attention",
    "neck",
    "allocation",
    "neck_attention",
    "context",
    "context_attention",
    "shuffle",
    "heads",
)
"""In the order that a picture goes through them."""
DESIGN = (
    "channels",
    "backbone",
    "attention",
    "neck",
    "repeats",
    "context",
    "context_attention",
    "shuffle",
    "head",
)
"""Recipe keys of `model` that say how a network is built."""
DETAILS = (
    "variant",
    "weights",
    "backbone_weights",
    "leak",
    "norm_momentum",
    "prior_probability",
    "prior_sizes",
    "prior_steps",
    "variances",
    "pixel_mean",
    "channel_order",
    "pixel_scale",
)
"""Keys of `model` that say something else, or what all networks share."""
BROAD = 4
"""Networks that one table holds."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/architecture.jinja shows; None before a benchmark."""
    chosen = page.sources.select(page.selectors) if page.selectors else []
    runs = chosen or page.sources.latest_where(lambda run: bool(components(run)))
    page.sources.check(runs)
    runs = _distinct(runs)
    if not runs:
        return None
    parts = [runs[at : at + BROAD] for at in range(0, len(runs), BROAD)]
    return {
        "tables": [
            {"parameters": _parameters(part_of, part), "design": _design(part_of, part)}
            for part in parts
            for part_of in [page.about(part[0].experiment if len(parts) > 1 else "")]
        ],
        "counted": any(run.metric("params.paper_counted") for run in runs),
        "wrong": [page.run_in_prose(run) for run in runs if _disagrees(run)],
        "picture": _picture(page, runs),
        "drawings": [
            drawing for run in runs if (drawing := drawing_of(page, run, components(run)))
        ],
    }


def components(run: Run) -> Mapping[str, int]:
    """Return component -> parameters, as RUN's benchmark counted them; empty without one."""
    details: Mapping[str, Any] = run.results.get("details", {}).get("benchmark", {})
    return {name: int(count) for name, count in (details.get("components") or {}).items()}


def _distinct(runs: Sequence[Run]) -> list[Run]:
    """Keep one run, the last, of each network."""
    latest = {}
    for run in runs:
        if counts := components(run):
            latest[run.variant, tuple(counts.items())] = run
    return list(latest.values())


def _headers(page: Page, first: str, runs: Sequence[Run]) -> list[object]:
    names = [Safe(f"{code(run.variant)}<br>{page.run(run)}") for run in runs]
    return [page.words.say(first), *names]


def _parameters(page: Page, runs: Sequence[Run]) -> Safe:
    """List parameters and their share by component, then totals and operations."""
    words, counts = page.words, [components(run) for run in runs]
    totals = [sum(network.values()) for network in counts]
    names = dict.fromkeys([*COMPONENTS, *(name for network in counts for name in network)])
    rows: list[list[object]] = []
    for name in names:
        if any(name in network for network in counts):
            cells = [_share(page, network.get(name), sum(network.values())) for network in counts]
            rows.append([words.name("component", name), *cells])
    total = [Safe(f"**{words.number(count, ',')}**") for count in totals]
    rows.append([Safe(f"**{words.say('component.total')}**"), *total])
    for key in ("params.paper_counted", "macs.640"):
        metrics = [run.metric(key) for run in runs]
        if any(metrics):
            cells = [words.value(metric) if metric else words.say("none") for metric in metrics]
            rows.append([words.say(f"component.{key.replace('.', '_')}"), *cells])
    headers = _headers(page, "component.column", runs)
    return page.table("parameters", headers, rows, range(1, len(headers)))


def _share(page: Page, count: int | None, total: int) -> Safe:
    words = page.words
    if count is None:
        return words.say("none")
    share = words.number(count / total if total else 0.0, ".1%")
    return words.say("component.share", n=words.number(count, ","), share=share)


def _design(page: Page, runs: Sequence[Run]) -> Safe:
    """List what each component is, as the recipes name it; empty where they do not say."""
    models = [run.recipe.get("model") or {} for run in runs]
    rows: list[list[object]] = [
        [design_name(page, key), *(_choice(page, key, model.get(key)) for model in models)]
        for key in design_keys(models)
    ]
    headers = _headers(page, "component.design", runs)
    return page.table("design", headers, rows) if rows else Safe("")


def design_keys(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys that tell how MODELS are built: the usual ones, and what any turns on."""
    usual = [key for key in DESIGN if any(key in model for model in models)]
    others = dict.fromkeys(key for model in models for key in model if key not in DETAILS)
    plain = asdict(DetectorConfig())
    special = [
        key
        for key in others
        if key not in DESIGN
        and any(model.get(key, plain.get(key)) != plain.get(key) for model in models)
    ]
    return usual + special


def design_name(page: Page, key: str) -> Safe:
    """Return what a key of `model` is called; the key itself where it has no name yet."""
    return page.words.find("design", key) or code(f"model.{key}")


def _choice(page: Page, key: str, value: object) -> Safe:
    if value is False:
        return page.words.say("none")
    return setting_value(page.words, f"model.{key}", value)


def _disagrees(run: Run) -> bool:
    """Whether a record's components do not add up to its own total."""
    total = run.metric("params.total")
    return total is not None and round(total.value) != sum(components(run).values())


def _picture(page: Page, runs: Sequence[Run]) -> Safe:
    words = page.words
    networks = {f"{run.variant} ({run.id})": dict(components(run)) for run in runs}
    present = dict.fromkeys(
        [*COMPONENTS, *(name for network in networks.values() for name in network)]
    )
    names = {
        name: str(words.name("component", name))
        for name in present
        if any(name in network for network in networks.values())
    }
    draw = partial(pictures.component_bars, networks, names, words.language)
    inputs = [repr(networks), repr(names)]
    name, caption = f"{page.block_id}-components", words.say("component.figure")
    return page.picture(name, caption, inputs, draw, ["components"])
