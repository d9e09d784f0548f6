"""The student's annotations of a run, beside its sealed folder: runs/v2/003.notes.json."""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.names import NAME
from featherface.errors import DataError, UsageError, unknown
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SCHEMA = 2
"""1 wrote an empty text where nothing had been said."""

OPEN = "open"
VERDICTS: dict[str, tuple[str, ...]] = {
    OPEN: ("ouvert", "ouverte", "en cours"),
    "confirmed": ("confirmé", "confirmée"),
    "partial": (
        "partly confirmed",
        "partiel",
        "partielle",
        "partiellement confirmée",
        "confirmée en partie",
    ),
    "refuted": ("rejected", "réfuté", "réfutée", "infirmé", "infirmée"),
    "inconclusive": ("non concluant", "non concluante", "inconclusif"),
    "invalid": ("invalid run", "invalide", "non valable", "exécution non valable"),
}
"""What may become of a hypothesis -> other words for it. `invalid`: the run itself was wrong."""

TEXTS = ("note", "hypothesis", "verdict", "analysis", "next_steps")
_TAG = re.compile(r"[^\W_][\w/-]*|_[\w/-]+")


@dataclass(frozen=True, kw_only=True)
class RunAnnotations:
    """All of it may change after the run is sealed.

    None means that nothing was ever said, which is not the same as an empty answer.
    """

    labels: tuple[str, ...] = ()
    note: str | None = None
    hypothesis: str | None = None
    """None: the recipe's wording stands."""
    verdict: str | None = None
    """What the student concludes, one of VERDICTS; the `status` property of the run's note."""
    tags: tuple[str, ...] | None = None
    """Besides those of the recipe."""
    analysis: str | None = None
    next_steps: str | None = None

    @classmethod
    def read(cls, folder: Path) -> RunAnnotations:
        """Read the annotations of the run in FOLDER; empty ones where there are none.

        Raises:
            DataError: the file is damaged.
        """
        path = beside(folder)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.get("schema", 1) < SCHEMA:
                content = {key: value for key, value in content.items() if value}
            tags = content.get("tags")
            return cls(
                labels=tuple(content.get("labels", ())),
                tags=None if tags is None else tuple(str(tag) for tag in tags),
                **{key: str(content[key]) for key in TEXTS if content.get(key) is not None},
            )
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise DataError(f"{path}: can't be read: {error}", "correct or remove it") from error

    def write(self, folder: Path) -> None:
        """Write what was said beside FOLDER, atomically."""
        said = {key: value for key, value in dataclasses.asdict(self).items() if value is not None}
        text = json.dumps({"schema": SCHEMA, **said}, ensure_ascii=False, indent=1)
        write_atomic(beside(folder), text + "\n")


def beside(folder: Path) -> Path:
    """Return the path of the annotations of the run in FOLDER."""
    return folder.with_name(f"{folder.name}.notes.json")


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return CHANGES as they are kept: verdicts and tags in their own spelling.

    Raises:
        UsageError: a verdict is not one of VERDICTS, or a tag can't be one.
    """
    kept = dict(changes)
    if kept.get("verdict") is not None:
        kept["verdict"] = read_verdict(kept["verdict"])
    if kept.get("tags") is not None:
        kept["tags"] = read_tags(kept["tags"])
    return kept


def check_label(label: str) -> str:
    """Return LABEL if a run can be called so.

    Raises:
        UsageError: it can't.
    """
    if not NAME.fullmatch(label):
        raise UsageError(
            f"{label!r} can't be a label: use letters, digits, '.', '-' and '_', at most 64, "
            "starting with a letter or a digit",
            f"write {_as_tag(label).replace('/', '-')[:64]!r}",
        )
    return label


def read_verdict(text: str) -> str:
    """Return the verdict that TEXT names in English or French; empty for none.

    Raises:
        UsageError: no such verdict; the message names the nearest.
    """
    if text in VERDICTS:
        return text
    known = {_fold(word): name for name, words in VERDICTS.items() for word in (name, *words)}
    folded = _fold(text)
    if not folded:
        return ""
    if folded not in known:
        raise UsageError(unknown("status", text, VERDICTS), f"choose from {', '.join(VERDICTS)}")
    return known[folded]


def read_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return TAGS without their `#`, each once.

    Raises:
        UsageError: one holds what no tag may hold, or digits only.
    """
    names = [tag.strip().removeprefix("#") for tag in tags]
    for name in names:
        if not _TAG.fullmatch(unicodedata.normalize("NFC", name)) or name.isdigit():
            raise UsageError(
                f"{name!r} can't be a tag: letters, digits, '_', '-' and '/' make one, "
                "and not digits alone",
                f"write {_as_tag(name)!r}",
            )
    return tuple(dict.fromkeys(names))


def _as_tag(name: str) -> str:
    """Return the tag nearest to NAME."""
    word = re.sub(r"[^\w/-]+", "-", unicodedata.normalize("NFC", name)).strip("-/")
    return word if word and not word.isdigit() else f"tag-{word}".rstrip("-")


def _fold(text: str) -> str:
    """Reduce a word to what decides: no case, no accents, single spaces."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(letter)
    )
    return " ".join(re.split(r"[\s_-]+", plain.casefold())).strip()
