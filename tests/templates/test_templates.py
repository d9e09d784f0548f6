"""Both languages say the same things, and each follows its own typography."""

import re
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

import pytest
from jinja2 import Environment, meta

ROOT = Path(str(resources.files("templates")))
NARROW = "\u202f"
PARSER = Environment(autoescape=True)


def files(language: str) -> set[str]:
    folder = ROOT / language
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@cache
def words(language: str) -> dict:
    """Every phrase of a language: file name -> tables."""
    paths = sorted((ROOT / language / "words").glob("*.toml"))
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in paths}


def flat(table: dict, at: str = "") -> dict[str, str]:
    found = {}
    for key, value in table.items():
        found |= flat(value, f"{at}{key}.") if isinstance(value, dict) else {f"{at}{key}": value}
    return found


TEMPLATES = sorted(name for name in files("en") if name.endswith(".jinja"))


def test_both_languages_have_the_same_files():
    assert files("en") == files("fr")


def test_both_languages_have_the_same_phrases_with_the_same_values():
    english, french = flat(words("en")), flat(words("fr"))
    assert set(english) == set(french)
    for key, phrase in english.items():
        if not key.endswith("common.date"):
            names = [sorted(re.findall(r"\{\w+\}", one)) for one in (phrase, french[key])]
            assert names[0] == names[1], key


def test_no_phrase_stands_in_two_files():
    keys = [key.partition(".")[2] for key in flat(words("en"))]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", TEMPLATES)
def test_both_languages_show_the_same_values_and_blocks(name):
    def used(language):
        text = (ROOT / language / name).read_text(encoding="utf-8")
        blocks = re.findall(r"block\(([^)]*)\)", text)
        headings = re.findall(r"^(#+) ", text, re.MULTILINE)
        return meta.find_undeclared_variables(PARSER.parse(text)), blocks, headings

    assert used("en") == used("fr")


@cache
def texts(language: str) -> dict[str, str]:
    """Give every sentence of a language, without Jinja, HTML, Markdown marks and code."""
    found = flat(words(language))
    for name in TEMPLATES:
        text = (ROOT / language / name).read_text(encoding="utf-8")
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|`[^`]*`", "_", text)
        found[name] = re.sub(r"<style>.*?</style>|</?[a-z][^>]*>", "", text, flags=re.DOTALL)
    return found


FRENCH = {  # but `note:`, which Obsidian's plugins for slides want so
    "no narrow space before it": rf"[^{NARROW}][;!?»](?=\s|$|\*)"
    rf"|(?<!\bnot)[^{NARROW}\d]:(?=\s|$|\*)",
    "no narrow space before %": rf"\d[^{NARROW}]?%",
    "straight quotes": '"',
    "a decimal point": r"(?<!RetinaFace-)\d\.\d",
}
RULES = {"fr": FRENCH, "en": {"a narrow space": NARROW}}
"""Language -> what is wrong -> where it stands."""


def offenders(language: str, texts: dict[str, str]) -> list[str]:
    """Name every place of TEXTS that breaks a rule of the language's typography."""
    return [
        f"{key}: {rule}: …{text[max(found.start() - 20, 0) : found.end() + 20]!r}…"
        for key, text in texts.items()
        for rule, pattern in RULES[language].items()
        for found in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("language", RULES)
def test_every_text_follows_the_typography_of_its_language(language):
    broken = offenders(language, texts(language))
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("language", "text", "count"),
    [
        ("fr", "Oui!", 1),
        ("fr", "Quoi ?", 1),
        ("fr", "Ainsi: *non*", 1),
        ("fr", f"« Bien{NARROW}», 12:30", 0),
        ("fr", "87%", 1),
        ("fr", "87 %", 1),
        ("fr", f"87{NARROW}%", 0),
        ("fr", 'un "mot" à 0.5', 3),
        ("en", f"87{NARROW}% of it", 1),
        ("en", "87% of it: yes!", 0),
    ],
)
def test_what_breaks_the_typography_is_found(language, text, count):
    assert len(offenders(language, {"key": text})) == count


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_text_stands_for_a_text_to_come(language):
    for text in texts(language).values():
        assert not re.search(r"TODO|TBD|FIXME|XXX|lorem|\.\.\.|à compléter", text)
