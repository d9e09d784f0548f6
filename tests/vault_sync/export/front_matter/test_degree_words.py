"""Generated text calls the work what its degree calls it; what the student wrote stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.workspace.document_values import DEGREES
from vault_sync.engine.notes import Note
from vault_sync.engine.text.markers import write_block
from vault_sync.export.front_matter.degree_words import name_work, reword, work_words
from vault_sync.export.reading.link_index import LinkIndex

TEXT = "Le but de la thèse, cette thèse ; l'hypothèse. La thèse : un directeur de thèse."


def shelf(text):
    block = write_block("a", "performance", text.encode(), {})
    note = Note("a.md", text.encode() + b"\n\n" + block + b"\n")
    return LinkIndex(Path("/vault"), {"a.md": note}, ("a.md",))


def test_only_what_was_generated_is_reworded():
    index = shelf(TEXT)
    (own, generated) = name_work(index, "master", "fr").body("a.md")[0].split("\n\n", 1)
    assert own == TEXT
    assert (
        "Le but du mémoire, ce mémoire ; l'hypothèse. Le mémoire : un directeur de mémoire."
        in generated
    )
    assert generated.count("thesis:begin") == generated.count("thesis:end") == 1


def test_lines_that_chapters_came_with_are_reworded_until_someone_changes_them(synced):
    index = name_work(LinkIndex.read(synced("fr").vault), "master", "fr")
    path = "03-Methodology/Training-Protocol.md"
    text = index.body(path)[0]
    assert "réseaux de ce mémoire ont été" in text
    (line,) = [line for line in text.split("\n") if "de ce mémoire ont été" in line]
    changed = line.replace("de ce mémoire", "de cette thèse") + " Vraiment."
    note = Note("a.md", changed.encode())
    own = name_work(LinkIndex(index.root, {"a.md": note}, ("a.md",)), "master", "fr")
    assert own.body("a.md")[0] == changed


def test_bytes_that_are_no_text_survive():
    note = Note("a.md", b"\xff\xfe la th\xe8se\r\n")
    index = LinkIndex(Path("/vault"), {"a.md": note}, ("a.md",))
    assert name_work(index, "master", "fr").notes["a.md"] is note


@pytest.mark.parametrize("degree", ["", "phd"])
def test_a_doctoral_thesis_and_an_unknown_degree_change_nothing(degree):
    index = shelf(TEXT)
    assert name_work(index, degree, "fr") is index


def test_commands_are_no_words_of_the_work():
    words = work_words("report", "en")
    assert reword("run `thesis run v1`; thesis.toml of this thesis", words) == (
        "run `thesis run v1`; thesis.toml of this report"
    )


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_degree_has_its_words(degree, language):
    words = work_words(degree, language)
    assert all(new for new in words.values())
    assert not set(words) & set(words.values())
