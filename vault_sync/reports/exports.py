"""What networks were written to for other programs: each file, and how it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vault_sync.rendering.markdown import Safe, code, table
from vault_sync.reports.sections.run_diff import show_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

SHOWN = ("path", "format", "sha256", "megabytes", "parity", "landmarks_parity", "opset", "sizes")
"""What the columns of the table tell of an artefact; more that a record knows gets its own."""


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
    found = [one for run in runs for one in artefacts(run)]
    if not found:
        return None
    limits = {one.tolerance for one in found if one.tolerance is not None}
    formats = list(dict.fromkeys(one.format for one in found))
    return {
        "files": _files(page, found),
        "matrix": _matrix(page, found, formats) if len(formats) > 1 else "",
        "tolerance": page.words.number(limits.pop(), ".1g") if len(limits) == 1 else "",
    }


def artefacts(run: Run) -> list[Artefact]:
    """Return what RUN exported."""
    details: Mapping[str, Any] = run.results.get("details", {}).get("export", {})
    return [Artefact(run, one) for one in details.get("artifacts", ())]


def _files(page: Page, found: Sequence[Artefact]) -> Safe:
    """Give each file a row."""
    words = page.words
    more = [key for key in dict.fromkeys(k for one in found for k in one.about) if key not in SHOWN]
    keys = ("run", "format", "file", "size", "sha256", "opset", "sizes", "parity", "landmarks")
    headers: list[object] = [words.say(f"artefact.{key}") for key in keys]
    headers += [code(key) for key in more]
    rows = [
        [page.run(one.run), code(one.format), *_cells(page, one), *_more(page, one, more)]
        for one in found
    ]
    return table(headers, rows, numeric=[3, 7, 8])


def _cells(page: Page, one: Artefact) -> list[object]:
    about, none = one.about, page.words.say("none")
    path, digest = about.get("path"), about.get("sha256")
    return [
        code(str(path).rsplit("/", 1)[-1]) if path else none,
        _size(page, one),
        code(str(digest)[:12]) if digest else none,
        show_value(page.words, one.opset),
        one.sizes or none,
        _parity(page, about.get("parity")),
        _parity(page, about.get("landmarks_parity")),
    ]


def _more(page: Page, one: Artefact, keys: Sequence[str]) -> list[Safe]:
    """Write what a format of a later version records besides."""
    return [show_value(page.words, one.about.get(key)) for key in keys]


def _size(page: Page, one: Artefact) -> Safe:
    size = one.about.get("megabytes")
    return (
        page.words.say("none") if size is None else page.words.amount(float(size), "size.fp32_mb")
    )


def _parity(page: Page, value: object) -> Safe:
    if value is None:
        return page.words.say("none")
    number = float(str(value))
    return page.words.number(number, ".1e")


def _matrix(page: Page, found: Sequence[Artefact], formats: Sequence[str]) -> Safe:
    """Set runs against formats: the size where there is a file."""
    none = page.words.say("none")
    headers: list[object] = [page.words.say("artefact.run"), *(code(one) for one in formats)]
    rows = []
    for run in dict.fromkeys(one.run for one in found):
        sizes = {one.format: _size(page, one) for one in found if one.run == run}
        rows.append([page.run(run), *(sizes.get(one, none) for one in formats)])
    return table(headers, rows, numeric=range(1, len(headers)))
