"""Exported networks, such as ONNX files: size, digest, and parity with the PyTorch network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vault_sync.rendering.markdown import Safe, code
from vault_sync.reports.sections.run_diff import show_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

COLUMN_KEYS = (
    "path",
    "format",
    "sha256",
    "megabytes",
    "parity",
    "landmarks_parity",
    "opset",
    "sizes",
    "status",
    "engine",
)
"""Keys of an artefact that the fixed columns show, or that follow from what they show; each further
plain value gets its own column."""


@dataclass(frozen=True)
class Artefact:
    """One exported file, as the run that wrote it recorded it."""

    run: Run
    about: Mapping[str, Any]

    @property
    def format(self) -> str:
        """Its format, `onnx`."""
        return str(self.about.get("format", ""))

    @property
    def opset(self) -> object:
        """The ONNX operator set; None for other formats."""
        if "opset" in self.about or not self.format.startswith("onnx"):
            return self.about.get("opset")
        return (self.run.recipe.get("export") or {}).get("opset")

    @property
    def sizes(self) -> str:
        """Widths and heights at which it was compared with the network."""
        metric = self.run.metric(f"export.{self.format}.parity")
        return str(self.about.get("sizes") or (metric.protocol if metric else ""))

    @property
    def tolerance(self) -> float | None:
        """The largest difference that the recipe lets pass."""
        value = (self.run.recipe.get("export") or {}).get("tolerance")
        return None if value is None else float(value)


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/exports.jinja shows; None before the first export."""
    chosen = page.sources.select(page.selectors) if page.selectors else []
    runs = chosen or page.sources.latest_where(lambda run: bool(artefacts(run)))
    page.sources.check(runs)
    exported = [artefact for run in runs for artefact in artefacts(run)]
    if not exported:
        return None
    limits = {artefact.tolerance for artefact in exported if artefact.tolerance is not None}
    formats = list(dict.fromkeys(artefact.format for artefact in exported))
    return {
        "files": _files(page, exported),
        "matrix": _matrix(page, exported, formats) if len(formats) > 1 else "",
        "tolerance": page.words.number(limits.pop(), ".1g") if len(limits) == 1 else "",
    }


def artefacts(run: Run) -> list[Artefact]:
    """Return what RUN exported."""
    details: Mapping[str, Any] = run.results.get("details", {}).get("export", {})
    return [Artefact(run, about) for about in details.get("artifacts", ())]


def _files(page: Page, exported: Sequence[Artefact]) -> Safe:
    """Give each file a row."""
    words = page.words
    plain = (
        key
        for artefact in exported
        for key, value in artefact.about.items()
        if key not in COLUMN_KEYS and not isinstance(value, dict)
    )
    more = list(dict.fromkeys(plain))
    keys = ("run", "format", "file", "size", "sha256", "opset", "sizes", "parity", "landmarks")
    headers: list[object] = [words.say(f"artefact.{key}") for key in keys]
    headers += [code(key) for key in more]
    rows = [
        [
            page.run(artefact.run),
            code(artefact.format),
            *_cells(page, artefact),
            *_more(page, artefact, more),
        ]
        for artefact in exported
    ]
    return page.table("files", headers, rows, [3, 7, 8])


def _cells(page: Page, artefact: Artefact) -> list[object]:
    about, none = artefact.about, page.words.say("none")
    path, digest = about.get("path"), about.get("sha256")
    return [
        code(str(path).rsplit("/", 1)[-1]) if path else none,
        _size(page, artefact),
        code(str(digest)[:12]) if digest else none,
        show_value(page.words, artefact.opset),
        artefact.sizes or none,
        _parity(page, about.get("parity")),
        _parity(page, about.get("landmarks_parity")),
    ]


def _more(page: Page, artefact: Artefact, keys: Sequence[str]) -> list[Safe]:
    """Write what a format of a later version records besides."""
    return [show_value(page.words, artefact.about.get(key)) for key in keys]


def _size(page: Page, artefact: Artefact) -> Safe:
    size = artefact.about.get("megabytes")
    return (
        page.words.say("none") if size is None else page.words.amount(float(size), "size.fp32_mb")
    )


def _parity(page: Page, value: object) -> Safe:
    if value is None:
        return page.words.say("none")
    number = float(str(value))
    return page.words.number(number, ".1e")


def _matrix(page: Page, exported: Sequence[Artefact], formats: Sequence[str]) -> Safe:
    """Set runs against formats: the size where there is a file."""
    none = page.words.say("none")
    headers: list[object] = [page.words.say("artefact.run"), *(code(name) for name in formats)]
    rows = []
    for run in dict.fromkeys(artefact.run for artefact in exported):
        sizes = {
            artefact.format: _size(page, artefact) for artefact in exported if artefact.run == run
        }
        rows.append([page.run(run), *(sizes.get(name, none) for name in formats)])
    return page.table("sizes", headers, rows, range(1, len(headers)))
