"""Milestones, targets and cited results, as the packaged files and thesis.toml declare them."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import metrics
from experiments.conditions import Conditions
from experiments.earlier_conditions import from_text
from experiments.metrics import EVIDENCE, KINDS, Metric
from featherface.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping


CITATION_KEY = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_:.+/-]*[A-Za-z0-9_])?")
"""Keys that `[@key]` can cite, in Markdown and in a table."""
FACTS = Path(metrics.__file__).with_name("facts")
"""Not through importlib.resources: a folder called experiments in the path would hide ours."""


PACKAGED = "packaged"
"""Origin of what comes with the program."""


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """One claim."""

    name: str
    title: str = ""
    titre: str = ""
    """The title in French; the English one where empty."""
    predicate: str
    """Such as `v2@best widerface.hard.ap >= 0.80 and v2@best params.total < 285000`."""
    dataset: str = "widerface"
    """Set that metrics with a data set must have been measured on, completely."""
    protocol: str = "original"
    """Protocol they must have been measured by, exactly; empty accepts any."""
    setting: str = "640×640, batch 1"
    """How latency and memory must have been taken; what it leaves out may be anything, and empty
    accepts any."""
    evidence: tuple[str, ...] = ("measured",)
    source: str = ""
    """Where the claim is made."""
    group: str = ""
    """Claims of one group are shown together: accuracy, budget, speed, …"""
    origin: str = PACKAGED
    """Where it is written: `packaged`, or a file's path."""

    def titled(self, language: str) -> str:
        """Return the title in LANGUAGE; the name where there is none."""
        return (self.titre if language == "fr" and self.titre else self.title) or self.name


@dataclass(frozen=True, kw_only=True)
class CitedResult:
    """A result that no run here measured: published, or aimed at."""

    name: str
    title: str
    titre: str = ""
    """The title in French; the English one where empty."""
    evidence: str
    """`cited` or `target`."""
    source: str
    key: str = ""
    """Citation key of the source in the bibliography; empty where there is none."""
    remark: str = ""
    """What the source does not say by itself: `values of the published PyTorch weights`."""
    remarque: str = ""
    """The remark in French; the English one where empty."""
    conditions: Conditions = field(default_factory=Conditions)
    """How its values on data were measured, as far as it is stated."""
    note: str = ""
    variants: tuple[str, ...] = ()
    """Networks that it speaks of, where this program has them."""
    metrics: tuple[Metric, ...] = field(default=())

    @property
    def protocol(self) -> str:
        """The same as text; empty where it is not stated."""
        return self.conditions.identity

    def titled(self, language: str) -> str:
        """Return the title in LANGUAGE."""
        return self.titre if language == "fr" and self.titre else self.title

    def remarked(self, language: str) -> str:
        """Return the remark in LANGUAGE."""
        return self.remarque if language == "fr" and self.remarque else self.remark

    def metric(self, name: str) -> Metric | None:
        """Return the metric called NAME, or None."""
        return next((metric for metric in self.metrics if metric.name == name), None)


def read_milestones(
    own: Mapping[str, Any], origins: Mapping[str, str] | None = None
) -> dict[str, Milestone]:
    """Return the packaged milestones and OWN ([milestones] of thesis.toml), which win.

    A table of OWN without a predicate changes the packaged milestone of its name, key by key.
    ORIGINS tells for `milestones.<name>` which file wrote it.

    Raises:
        UsageError: a key is unknown or missing, or a value is of another kind.
    """
    shipped = _facts("milestones.toml").get("milestones", {})
    claims = packaged_milestones()
    for name, table in own.items():
        where = (origins or {}).get(f"milestones.{name}", "thesis.toml")
        claims[name] = _milestone(name, _laid_over(shipped.get(name), table), where)
    return claims


def packaged_milestones() -> dict[str, Milestone]:
    """Return the claims that come with the program."""
    tables = _facts("milestones.toml").get("milestones", {})
    return {name: _milestone(name, table, PACKAGED) for name, table in tables.items()}


def read_cited(own: Mapping[str, Any]) -> dict[str, CitedResult]:
    """Return the packaged cited and planned results and OWN ([cited]), which win."""
    tables = {**_facts("cited.toml").get("cited", {}), **own}
    return {name: _cited(name, table) for name, table in tables.items()}


@cache
def _facts(name: str) -> dict[str, Any]:
    return tomllib.loads((FACTS / name).read_text(encoding="utf-8"))


def _laid_over(shipped: Any, table: Any) -> Any:
    if shipped is None or not isinstance(table, dict) or "predicate" in table:
        return table
    return {**shipped, **table}


def _milestone(name: str, table: Any, origin: str) -> Milestone:
    given = ("name", "origin")
    fields = tuple(field.name for field in dataclasses.fields(Milestone) if field.name not in given)
    _check_table(f"milestones.{name}", table, fields, ("predicate",))
    for key in fields:
        if key != "evidence" and not isinstance(table.get(key, ""), str):
            text = f"milestones.{name}: {key} must be text in quotes, not {table[key]!r}"
            raise UsageError(text)
    evidence = _evidence(name, table.get("evidence", ["measured"]))
    values: dict[str, Any] = {**table, "evidence": evidence}
    return Milestone(name=name, origin=origin, **values)


def _evidence(name: str, kinds: Any) -> tuple[str, ...]:
    """Return the kinds of evidence that a milestone accepts."""
    chosen = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(chosen, list) or not chosen:
        raise UsageError(
            f"milestones.{name}: evidence is {kinds!r}; it must be a list",
            'write it like: evidence = ["measured", "cited"]',
        )
    for kind in chosen:
        if kind not in EVIDENCE:
            text = unknown("kind of evidence", str(kind), EVIDENCE)
            raise UsageError(f"milestones.{name}: {text}")
    return tuple(chosen)


def _cited(name: str, table: Any) -> CitedResult:
    texts = (
        "title",
        "titre",
        "evidence",
        "source",
        "key",
        "remark",
        "remarque",
        "protocol",
        "note",
    )
    fields = (*texts, "dataset", "split", "variants", "metrics")
    _check_table(f"cited.{name}", table, fields, ("source", "metrics"))
    evidence = table.get("evidence", "cited")
    metrics = tuple(
        _cited_metric(metric, value, table, evidence) for metric, value in table["metrics"].items()
    )
    return CitedResult(
        name=name,
        title=table.get("title", name),
        titre=table.get("titre", ""),
        evidence=evidence,
        source=table["source"],
        key=_citation_key(name, table.get("key", "")),
        remark=table.get("remark", ""),
        remarque=table.get("remarque", ""),
        conditions=from_text(table.get("protocol", "")),
        note=table.get("note", ""),
        variants=_variants(name, table.get("variants", [])),
        metrics=metrics,
    )


def _variants(name: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise UsageError(f"cited.{name}: variants is {given!r}; it must be a list of names")
    return tuple(given)


def _citation_key(name: str, key: Any) -> str:
    if key and not (isinstance(key, str) and CITATION_KEY.fullmatch(key)):
        raise UsageError(
            f"cited.{name}: {key!r} is no citation key",
            "write it as the bibliography does, of letters, digits and _ : . + / -",
        )
    return str(key)


def _cited_metric(name: str, value: Any, table: Mapping[str, Any], evidence: str) -> Metric:
    on_data = name.startswith("widerface.")
    return Metric(
        name=name,
        value=float(value),
        unit=KINDS[name].unit if name in KINDS else "",
        dataset=table.get("dataset", "widerface") if on_data else "",
        split=table.get("split", "val") if on_data else "",
        evidence=evidence,
        source=table["source"],
        conditions=from_text(table.get("protocol", "")) if on_data else Conditions(),
    )


def _check_table(where: str, table: Any, fields: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is a table, not {table!r}")
    for key in table:
        if key not in fields:
            raise UsageError(f"{where}: {unknown('key', key, fields)}")
    for key in needed:
        if key not in table:
            raise UsageError(f"{where}: {key} is missing")
