"""The catalogue of phrases: complete in both languages, used, and the only place of French."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from experiments.wording import catalogue
from experiments.wording.phrases import say
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGES = ("experiments", "featherface", "thesis_cli", "vault_sync")
OF_THE_VAULT = {
    "callout": "types of Obsidian's callouts, as notes use them",
    "folder": "folders of a student's vault",
    "packaged": "texts of recipes and warnings, found again by their English",
}
"""Groups whose names come from notes, never from code."""
FRENCH_IN_CODE = {
    "experiments/metrics.py": "titles stand in the one entry that makes a metric",
    "experiments/records/annotations.py": "verdicts that students write, to be understood",
    "vault_sync/export/drawings/fences.py": "what students write before the caption of a drawing",
    "vault_sync/export/typography.py": "quotation marks",
    "vault_sync/prose/amount_patterns.py": "units that students write",
    "vault_sync/prose/plain.py": "what students write before the number of a page, a section",
    "vault_sync/prose/result_words.py": "words of students' sentences, to be understood",
    "vault_sync/prose/sentences.py": "abbreviations that end no sentence",
    "vault_sync/rendering/words.py": "the sign before which a space is put",
}
"""Module -> why French words stand in it."""
LANGUAGE_IN_CODE = {
    "experiments/metrics.py": "which of an entry's two titles is asked for",
    "experiments/workspace/milestones.py": "which of a claim's two titles is asked for",
    "experiments/claims/baseline.py": "as above, of an expected result",
    "experiments/wording/numbers.py": "decimal mark, thousands and the space before %",
    "vault_sync/rendering/words.py": "spaces before French signs in a text of the student's",
    "vault_sync/export/typography.py": "quotation marks and spaces of the student's prose",
}
"""Module -> why it tells French from English otherwise than by the catalogue."""
SIGNS = re.compile(r"[àâçéèêëîïôùûœÀÂÇÉÈÊÎÔÙÛŒ«»]|\b(?:une|les|des|du|dans|avec|n'est|qu'il)\b")


@dataclass
class Sources:
    """What code and facts say: texts, f-strings as patterns, names of classes."""

    texts: set[str] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)

    @cached_property
    def heads(self) -> set[str]:
        """What stands before a dot, as `latency` in a metric's name."""
        return {text.partition(".")[0] for text in self.texts if "." in text}

    @cached_property
    def endings(self) -> set[str]:
        return {text for text in self.texts if re.fullmatch(r"_\w+", text)}


@cache
def modules() -> list[tuple[str, ast.Module]]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in paths
    ]


@cache
def sources() -> Sources:
    said = Sources()
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                said.patterns.add("".join(_piece(piece) for piece in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.texts.add(node.value)
            elif isinstance(node, ast.ClassDef):
                said.texts.add(node.name)
    for path in (ROOT / "experiments" / "facts").glob("*.toml"):
        said.texts.update(_texts(tomllib.loads(path.read_text(encoding="utf-8"))))
    return said


def _texts(value: object) -> Iterator[str]:
    """Yield all keys and texts of VALUE."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        yield from value
        yield from _texts(list(value.values()))


def _piece(node: ast.expr) -> str:
    return re.escape(node.value) if isinstance(node, ast.Constant) else "(.+?)"


@cache
def is_said(name: str) -> bool:
    """Whether code knows NAME: as it stands, of parts, or with an ending put to it."""
    texts = sources().texts
    if name in texts or name.isdecimal():
        return True
    if any(mark in name for mark in "+._") and all(map(is_said, re.split(r"[+._]", name))):
        return True
    if name in sources().heads:
        return True
    starts = (pattern.fullmatch(name) for pattern in prefixed_patterns())
    if any(match and is_said(match[1]) for match in starts):
        return True
    endings = (ending for ending in sources().endings if name.endswith(ending))
    return any(name.removesuffix(ending) in texts for ending in endings)


def is_used(key: str) -> bool:
    if key in sources().texts:
        return True
    group, _, name = key.partition(".")
    if group in OF_THE_VAULT:
        return group in sources().texts
    if name and group in sources().texts and is_said(name):
        return True  # by `find`, or by `Words.name`
    matches = (pattern.fullmatch(key) for pattern in keyed_patterns())
    return any(match and all(map(is_said, match.groups())) for match in matches)


@cache
def keyed_patterns() -> list[re.Pattern[str]]:
    found = [text for text in sources().patterns if re.match(r"[a-z_]+\\\.", text)]
    return [re.compile(text) for text in found]


@cache
def prefixed_patterns() -> list[re.Pattern[str]]:
    """Return those such as `mixed-(.+?)`: a word, and what is put to it."""
    found = [text for text in sources().patterns if re.fullmatch(r"[a-z]+\\-\(\.\+\?\)", text)]
    return [re.compile(text) for text in found]


def test_both_languages_have_the_same_phrases_with_the_same_values():
    english, french = catalogue.phrases("en"), catalogue.phrases("fr")
    assert english.keys() == french.keys()

    def values(text: str) -> list[str]:
        return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)

    other = {key for key in english if values(english[key]) != values(french[key])}
    assert not other


def test_every_phrase_is_used():
    assert [key for key in catalogue.phrases("en") if not is_used(key)] == []


def test_every_key_that_code_writes_out_is_a_phrase():
    known = catalogue.phrases("en")
    missing = [
        (module, key.value)
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node) in ("say", "phrase", "fill") and node.args
        if isinstance(key := node.args[0], ast.Constant) and key.value not in known
    ]
    assert missing == []


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_french_stands_in_the_catalogue_only():
    assert {module for module, tree in modules() if any(_french(tree))} == set(FRENCH_IN_CODE)


def _french(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module that read French, docstrings aside."""
    aside = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside:
            words = re.sub(r"[A-Za-z]-ÿ|À-ÿ", "", node.value)  # a range of a regular expression
            if SIGNS.search(words):
                yield node.value


def test_languages_are_told_apart_by_the_catalogue():
    found = {
        module
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(
            isinstance(part, ast.Constant) and part.value in ("fr", "en")
            for part in node.comparators
        )
    }
    assert found == set(LANGUAGE_IN_CODE)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_is_missing_is_named_with_its_language(language):
    with pytest.raises(catalogue.PhraseError, match=rf"'plot.epok' in templates/{language}/words"):
        say("plot.epok", language)
    with pytest.raises(catalogue.PhraseError, match=rf"'seeds.mean' \({language}\) .* 'n'"):
        Words(language).say("seeds.mean")
    assert catalogue.find("plot_protocol", "someone's own", language) is None


def test_a_cache_learns_which_phrases_it_rests_on():
    with catalogue.recording() as outer:
        with catalogue.recording() as keys:
            say("plot.epoch", "fr")
            catalogue.find("plot_protocol", "mine", "fr")
        say("plot.recall", "fr")
    assert keys == {"plot.epoch", "plot_protocol.mine"}
    assert outer == keys | {"plot.recall"}
    digests = {catalogue.phrases_digest(language, keys) for language in ("en", "fr")}
    digests |= {catalogue.phrases_digest("fr", outer), catalogue.phrases_digest("fr")}
    assert len(digests) == 4
    assert catalogue.phrases_digest("fr", sorted(keys)) in digests
