"""What an entry of a table needs elsewhere, by name: docs, words, templates, families."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.metrics import KINDS
from experiments.staleness.families import FAMILIES
from experiments.wording.catalogue import phrases
from featherface.data.augmentation.transforms import AUGMENTATIONS
from featherface.export.formats import FORMATS as EXPORTS
from featherface.losses.config import CHOICES
from featherface.variants.table import VARIANTS
from vault_sync.content.chapters import CHAPTERS
from vault_sync.export.format_specific import LAYOUTS
from vault_sync.export.formats import FORMATS as DOCUMENTS

ROOT = Path(__file__).resolve().parents[2]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def rows(page):
    """Return first cell -> the other cells of every table of PAGE; its first row counts."""
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in read(page).splitlines()
        if line.startswith("| `")
    ]
    return {first.strip("`"): others for first, *others in reversed(cells)}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_network_is_described_where_people_read(name):
    described = rows("docs/networks.md").get(name)
    assert described, f"docs/networks.md has no row `{name}` in its first table"
    assert described[-1] == VARIANTS[name].summary, f"docs/networks.md: another summary of {name}"
    for language in ("en", "fr"):
        place = f"templates/{language}/words/network.toml"
        assert f"about.{name}" in phrases(language), f"{place} has no {name} under [about]"


def test_every_augmentation_is_described():
    missing = AUGMENTATIONS.keys() - rows("docs/training.md").keys()
    assert not missing, f"docs/training.md has no row for {missing}"


@pytest.mark.parametrize("key", CHOICES)
def test_every_loss_is_described(key):
    named = set(re.findall(r"`([^`]+)`", rows("docs/training.md")[key][0]))
    assert named == set(CHOICES[key]), f"docs/training.md, the row `{key}` of train.loss"


def test_every_metric_has_a_family_that_says_when_it_is_stale():
    without = [name for name in KINDS if not name.startswith(tuple(FAMILIES))]
    assert not without, f"FAMILIES of experiments/staleness/families.py has no start of {without}"


@pytest.mark.parametrize("name", EXPORTS)
def test_the_parity_of_every_export_is_a_metric_whose_small_values_are_good(name):
    assert not KINDS[f"export.{name}.parity"].higher_is_better


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_chapter_holds_the_blocks_that_are_listed_for_it(chapter, language):
    page = f"templates/{language}/chapters/{chapter}.jinja"
    held = re.findall(r'block\("([^"]+)"\)', read(page))
    listed = [block for block, _ in CHAPTERS[chapter]]
    assert held == listed, f'{page} holds {held}; CHAPTERS lists {listed}: {{{{ block("ID") }}}}'


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_format_of_documents_is_described_and_laid_out(name):
    assert f"`{name}`" in read("docs/commands.md"), f"docs/commands.md, --to: no `{name}`"
    writer = DOCUMENTS[name].writer.partition("-")[0]
    assert writer in LAYOUTS, f"LAYOUTS of vault_sync/export/format_specific.py: no {writer!r}"
