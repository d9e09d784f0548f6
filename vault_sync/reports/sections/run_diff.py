"""The differences between two runs: recipe, parent runs, data, code and machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.comparison.recipe_differences import NAMING, differing_settings
from vault_sync.rendering.markdown import Safe, code, escape
from vault_sync.rendering.setting_words import setting_name, setting_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page
    from vault_sync.rendering.words import Words

INDIFFERENT = (
    *NAMING,
    "stages",
    "primary_metric",
    "train.seed",
    "train.device",
    "train.workers",
    "train.cache",
    "train.keep_memory",
    "train.log_every",
)
"""Recipe keys that do not decide what is learnt, or say again what `seed` says."""
SECTIONS = ("benchmark.", "export.")
"""Recipe sections of the same kind."""
ROLES = {
    "teacher": "distill.teacher",
    "weights": "model.weights",
    "backbone": "model.backbone_weights",
    "predictions": "evaluate.predictions",
}
"""What a run may be made from -> the recipe's key for it; the record knows it exactly."""


@dataclass(frozen=True)
class SettingChange:
    """A setting that differs between two runs, with both values as Markdown."""

    key: str
    """Dotted recipe key; empty for the data, the code and the machine."""
    name: Safe
    before: Safe
    after: Safe


def changes(page: Page, before: Run, after: Run) -> list[SettingChange]:
    """Return everything that may explain why AFTER measured other values than BEFORE."""
    origins = list(_origins(page, before, after))
    recorded = {change.key for change in origins}
    words = page.words
    recipe = [
        SettingChange(
            key,
            setting_name(words, key),
            *(setting_value(words, key, value) for value in (old, new)),
        )
        for key, (old, new) in recipe_changes(before, after).items()
        if key not in recorded
    ]
    return [*recipe, *origins, *_data(words, before, after), *_circumstances(words, before, after)]


def recipe_changes(before: Run, after: Run) -> dict[str, tuple[Any, Any]]:
    """Return dotted key -> both values, of the recipe keys that decide what is learnt."""
    differing = differing_settings([before, after])
    return {
        key: (values[0], values[1])
        for key, values in differing.items()
        if key not in INDIFFERENT and not key.startswith(SECTIONS)
    }


def show_value(words: Words, value: object) -> Safe:
    """Write a recipe's value; a dash for none."""
    if value in (None, "", []):
        return words.say("none")
    if isinstance(value, bool):
        return words.say("yes" if value else "no")
    items = value if isinstance(value, list | tuple) else [value]
    return code(", ".join(str(item) for item in items))


def parent(run: Run, role: str) -> str:
    """Return the runs, or else files, that RUN was made from in ROLE; empty for none."""
    return ", ".join(
        origin.run or origin.path for origin in run.record.parents if origin.role == role
    )


def show_parent(page: Page, run: Run, role: str) -> Safe:
    """Link to the runs that RUN was made from in ROLE, or name the files; a dash for none."""
    origins = [origin for origin in run.record.parents if origin.role == role]
    named = [page.named_run(origin.run) if origin.run else code(origin.path) for origin in origins]
    return page.words.listing(named) if named else page.words.say("none")


def _origins(page: Page, before: Run, after: Run) -> Iterator[SettingChange]:
    for role, key in ROLES.items():
        if parent(before, role) != parent(after, role):
            ends = [show_parent(page, run, role) for run in (before, after)]
            yield SettingChange(key, page.words.name("setup", role), *ends)


def _data(words: Words, before: Run, after: Run) -> Iterator[SettingChange]:
    for split in dict.fromkeys([*before.data, *after.data]):
        ends = [run.data.get(split, {}) for run in (before, after)]
        if _digest(ends[0]) != _digest(ends[1]):
            name = words.say("changes.data", split=split)
            yield SettingChange("", name, *(code(_digest(about)[:12]) for about in ends))


def _digest(about: dict[str, Any]) -> str:
    digests = [about.get(key) for key in ("annotation_sha256", "files_sha256")]
    return " ".join(str(digest) for digest in digests if digest)


def _circumstances(words: Words, before: Run, after: Run) -> Iterator[SettingChange]:
    """Yield changes of the code, its libraries and the machine, where both records know them."""
    circumstances = [("code", before.record.code[:12], after.record.code[:12])]
    parts = [run.record.hardware for run in (before, after)]
    circumstances += [
        (key, str(parts[0].get(key, "")), str(parts[1].get(key, "")))
        for key in ("torch", "cpu", "gpu")
    ]
    for key, old, new in circumstances:
        if old and new and old != new:
            ends = (code(value) if key == "code" else escape(value) for value in (old, new))
            yield SettingChange("", words.say(f"changes.{key}"), *ends)
