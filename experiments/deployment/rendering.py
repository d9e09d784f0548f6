"""The texts of a package, rendered from `templates`: examples, manifests, card and guide."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

from experiments.deployment.card_numbers import SEAL, card_numbers
from experiments.wording.catalogue import find
from experiments.wording.numbers import format_number
from experiments.wording.phrases import say
from experiments.wording.tables import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from experiments.deployment.packaged_network import PackagedNetwork
    from experiments.records.store import Store

EXAMPLES = "package"
"""Folder of the templates without language, and within each language of those in words."""
ENDING = ".jinja"
HIDDEN = {"dockerignore": ".dockerignore"}
"""Template -> the name of its file, where a packager would leave out the real one."""
PAGES = {"guide": "README", "model-card": "MODEL_CARD"}
"""Template of each language -> the name of its page."""
LANGUAGES = {"en": ".md", "fr": ".fr.md"}
"""Language -> the ending of its pages."""
REQUIRED = ("onnxruntime", "numpy", "pillow")
"""Distributions that the examples need, in the versions with which the detections were made."""


def texts(
    network: PackagedNetwork, manifest: Mapping[str, Any], store: Store | None
) -> Iterator[tuple[str, str]]:
    """Yield path and text of every file that MANIFEST and NETWORK make."""
    values = _values(network, manifest)
    for name in _names(resources.files("templates").joinpath(EXAMPLES)):
        folder, _, last = name.removesuffix(ENDING).rpartition("/")
        path = f"{folder}/{last}" if folder else HIDDEN.get(last, last)
        yield path, _environment().get_template(f"{EXAMPLES}/{name}").render(values)
    for language, ending in LANGUAGES.items():
        for template, title in PAGES.items():
            page = _environment().get_template(f"{language}/{EXAMPLES}/{template}{ENDING}")
            words = _in_words(network, manifest, store, language)
            yield f"{title}{ending}", page.render(values | words)


def _names(folder: Traversable, above: str = "") -> Iterator[str]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _names(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(ENDING):
            yield above + entry.name


def _values(network: PackagedNetwork, manifest: Mapping[str, Any]) -> dict[str, Any]:
    default, priors = manifest["models"][0], manifest["priors"]
    return {
        **{key: manifest[key] for key in ("input", "outputs", "variances", "thresholds")},
        "priors": priors,
        "levels": list(zip(priors["steps"], priors["sizes"], strict=True)),
        "title": network.name,
        "variant": network.variant,
        "model": default["path"],
        "sha256": default["sha256"],
        "image": f"{network.image}:{default['sha256'][:SEAL]}",
        "python": ".".join(platform.python_version_tuple()[:2]),
        "requirements": {name: metadata.version(name) for name in REQUIRED},
    }


def _in_words(
    network: PackagedNetwork, manifest: Mapping[str, Any], store: Store | None, language: str
) -> dict[str, Any]:
    """Return what the pages of one LANGUAGE show besides."""
    run = network.run
    about = find("about", network.variant, language) or network.variant
    return {
        "about": about,
        "parameters": format_number(network.parameters, ",", language),
        "run": run.id if run else "",
        "seal": run.seal if run else "",
        "weights_sha256": network.weights_sha256,
        "published": network.published.title if network.published else "",
        "licence": one_line(network.licence),
        "drawn": bool(run and run.on_drawn_pictures),
        "numbers": [
            [_cell(part) for part in vars(each).values()]
            for each in card_numbers(network, store, language)
        ],
        "splits": _splits(network),
        "parents": _parents(network, language),
        "settings": _training(network),
        "models": [
            [_cell(part) for part in _model_row(each, language)] for each in manifest["models"]
        ],
        "sample": manifest["sample"],
        "faces": len(manifest["models"][0]["detections"]),
    }


def _model_row(entry: Mapping[str, Any], language: str) -> Sequence[str]:
    megabytes = format_number(entry["bytes"] / 1e6, ".2f", language)
    parity = entry.get("parity")
    none = say("none", language)
    difference = none if parity is None else format_number(parity, ".1e", language)
    ran = entry["not_run"] or entry["engine"]
    return (
        f"`{entry['path']}`",
        entry["format"],
        f"{megabytes} {find('unit', 'MB', language)}",
        difference,
        ran,
    )


def _splits(network: PackagedNetwork) -> list[tuple[str, str, str, str]]:
    """Return name, data set, pictures and digest of the annotation of each split of the run."""
    if network.run is None:
        return []
    return [
        (
            _cell(name),
            _cell(str(about.get("dataset", ""))),
            str(about.get("images", about.get("files", ""))),
            str(about.get("annotation_sha256", about.get("annotation", "")))[:SEAL],
        )
        for name, about in network.run.data.items()
        if "dataset" in about
    ]


def _parents(network: PackagedNetwork, language: str) -> list[tuple[str, str, str]]:
    """Return role, name and digest of what the run was made from."""
    parents = network.run.record.parents if network.run else ()
    return [
        (
            find("term", f"role-{parent.role}", language) or parent.role,
            _cell(parent.run or parent.path),
            (parent.seal or parent.sha256)[:SEAL],
        )
        for parent in parents
    ]


def _training(network: PackagedNetwork) -> dict[str, str]:
    """Return dotted key -> value of what decides a training, as the resolved recipe has it."""
    if network.run is None:
        return {}
    recipe = network.run.recipe
    sections = {
        "seed": recipe.get("seed"),
        **{f"train.{key}": value for key, value in (recipe.get("train") or {}).items()},
        "distill.teacher": (recipe.get("distill") or {}).get("teacher"),
    }
    kept = ("seed", "train.epochs", "train.batch_size", "train.image_size", "train.lr")
    shown = {key: sections.get(key) for key in (*kept, "distill.teacher")}
    return {key: _cell(str(value)) for key, value in shown.items() if value is not None}


def _cell(text: str) -> str:
    """Return TEXT as a cell of a Markdown table."""
    return one_line(text).replace("|", r"\|")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    from jinja2 import PackageLoader, StrictUndefined  # noqa: PLC0415 - slow to import
    from jinja2.sandbox import ImmutableSandboxedEnvironment as Sandbox  # noqa: PLC0415 - as above

    return Sandbox(
        loader=PackageLoader("templates", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
