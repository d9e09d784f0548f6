"""The block of one network, wherever a student puts its markers."""

from __future__ import annotations

import re

import pytest

from experiments.plotting import network_drawing
from experiments.workspace.workspace import Workspace
from featherface.errors import RefusedError
from featherface.model_summary import summary_cache
from featherface.model_summary.stages import stages
from featherface.variants.table import VARIANTS
from vault_sync.commands import scaffold
from vault_sync.commands.sync import sync
from vault_sync.content.catalogue import show
from vault_sync.engine.notes import Snapshot
from vault_sync.rendering.figures import Figures
from vault_sync.rendering.jinja import render
from vault_sync.rendering.links import Links, LinkStyle
from vault_sync.rendering.page import Page
from vault_sync.rendering.sources import Sources
from vault_sync.rendering.words import Words
from vault_sync.reports import REPORTS
from vault_sync.reports.network import drawing_names

MARKERS = """
<!-- thesis:begin id={id} template=network{more} -->

<!-- thesis:end id={id} -->
"""
CHAPTER = "04-Implementation/Architecture-Design.md"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(autouse=True)
def _counted_once(monkeypatch, found):
    """Take every network apart once for all tests."""
    anatomy = summary_cache.anatomy

    def kept(config, folder, height=640, width=640):
        assert folder.name == "networks"
        return anatomy(config, found, height, width)

    monkeypatch.setattr("vault_sync.reports.network.anatomy", kept)


@pytest.fixture
def quick_drawing(monkeypatch):
    monkeypatch.setattr(network_drawing, "draw_network", lambda *_: b"\x89PNG drawn")


@pytest.fixture
def study(tmp_path):
    def make(language="en"):
        workspace = Workspace.create(tmp_path / language, language=language, title="A thesis")
        workspace.vault.mkdir()
        return workspace

    return make


def body(workspace, block, **attributes):
    sources = Sources(workspace)
    style, language = LinkStyle(), workspace.language
    figures = Figures(workspace.state / "figures", style, language)
    page = Page(sources, Links("Note.md", style, {}), figures, block, attributes, [], Snapshot())
    values = REPORTS["network"](page)
    return "" if values is None else render(language, "network", values)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_drawing")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_network_reads_as_it_was_accepted(study, golden, language):
    golden(f"{language}/blocks/network.md", body(study(language), "network.v2-ultra"))


@pytest.mark.usefixtures("quick_drawing")
def test_every_row_has_as_many_cells_as_its_head(study):
    text = body(study("fr"), "network.v2-vit", layers="all")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "convolution en profondeur 3×3, pas 2" in text


@pytest.mark.usefixtures("quick_drawing")
def test_a_run_shows_the_network_of_its_recipe(workspace, make_run):
    make_run(workspace, "wide", variant="v2", recipe={"model.channels": 40})
    text = body(workspace, "network.mine", runs="wide@1", size="480x640")
    assert "480×640" in text
    assert "40 @ 60×80" in text
    assert "the thesis's student" not in text


@pytest.mark.parametrize(
    ("block", "attributes", "said"),
    [
        ("network.v2ultra", {}, "did you mean 'v2-ultra'"),
        ("network.v2", {"size": "big"}, "size=big"),
        ("network.v2", {"size": "333"}, "333 pixels"),
        ("network.v2", {"runs": "v9"}, "v9"),
    ],
)
def test_what_can_not_be_shown_is_refused(study, block, attributes, said):
    with pytest.raises(RefusedError, match=said):
        body(study(), block, **attributes)


def test_without_a_name_it_says_how(study):
    assert "network.v2-ultra" in show(study(), "network", {}).text


def test_the_student_s_markers_are_filled_once(study):
    workspace = study("fr")
    scaffold.create(workspace)
    note = workspace.vault / CHAPTER
    mine = note.read_text(encoding="utf-8") + MARKERS.format(id="network.v3-nano", more="")
    note.write_text(mine, encoding="utf-8")
    report = sync(workspace)
    assert CHAPTER in report.written
    text = note.read_text(encoding="utf-8")
    assert "**115\u202f288 paramètres**" in text
    picture = re.search(r"\]\((\S+\.png)\)", text)[1]
    drawn = (note.parent / picture).resolve()
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert len(drawn.read_bytes()) > 10_000
    assert not sync(workspace).written


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_box_of_the_drawing_is_told_in_words(language):
    words = Words(language)
    named = drawing_names(words)
    for variant in VARIANTS.values():
        for stage in stages(variant.config, ()):
            parts = stage.block.split(" + ")
            known = f"block {stage.block}" in named or all(f"block {one}" in named for one in parts)
            assert known, f"words/network.toml, [drawn], lacks {stage.block!r}"
    curve = {"en": "x + 0.1 tanh(x)", "fr": "x + 0,1 tanh(x)"}
    assert named["block x + 0.1 tanh(x)"] == curve[language]
