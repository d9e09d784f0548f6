"""The picture that a drawing's program exported stands for it, wherever people keep it."""

from __future__ import annotations

import pytest

from vault_sync.export.reading.exported_drawings import CANVAS, EXCALIDRAW, find_exported, kind_of
from vault_sync.export.reading.link_index import LinkIndex

SOURCE = "---\nexcalidraw-plugin: parsed\n---\n# Text Elements\nBox\n"


@pytest.fixture
def vault(tmp_path):
    def fill(*names):
        for name in ("notes/a.md", "draw/model.excalidraw.md", "sketch.md", "board.canvas", *names):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            is_drawing = name.endswith(("excalidraw.md", "sketch.md"))
            file.write_text(SOURCE if is_drawing else "", encoding="utf-8")
        return LinkIndex.read(tmp_path)

    return fill


def test_drawings_are_known_by_ending_or_property(vault):
    index = vault()
    known = ("model.excalidraw", "model.excalidraw.md", "draw/model.excalidraw", "gone.excalidraw")
    assert {kind_of(index, name, "notes/a.md") for name in (*known, "sketch")} == {EXCALIDRAW}
    assert kind_of(index, "board.canvas", "") is CANVAS
    assert [kind_of(index, name, "") for name in ("a", "", "none", "x.png")] == [None] * 4


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (("draw/model.excalidraw.png", "draw/model.png"), "draw/model.excalidraw.png"),
        (("draw/model.excalidraw.svg", "draw/model.excalidraw.png"), "draw/model.excalidraw.png"),
        (("draw/model.excalidraw.dark.png", "draw/model.excalidraw.light.svg"), None),
        (("attachments/model.excalidraw.svg",), "attachments/model.excalidraw.svg"),
        (("attachments/model.png", "draw/model.svg"), "draw/model.svg"),
        (("attachments/Model.PNG",), "attachments/Model.PNG"),
        ((), None),
    ],
)
def test_the_picture_is_found(vault, files, found):
    made = find_exported(vault(*files), "model.excalidraw", "notes/a.md")
    if files and "dark" in files[0]:
        found = files[1]  # light goes before dark
    assert made == found


def test_a_picture_may_be_there_without_its_drawing(vault):
    index = vault("attachments/gone.excalidraw.png", "board.png", "pictures/sketch.svg")
    assert (
        find_exported(index, "gone.excalidraw", "notes/a.md") == "attachments/gone.excalidraw.png"
    )
    assert find_exported(index, "board.canvas", "notes/a.md") == "board.png"
    assert find_exported(index, "sketch", "notes/a.md") == "pictures/sketch.svg"
