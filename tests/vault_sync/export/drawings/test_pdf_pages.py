"""A page of a PDF file, or a part of it, as a picture."""

from __future__ import annotations

import io
import shutil
from importlib import util

import pytest
from PIL import Image

from featherface.errors import UnavailableError
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.drawings import pdf_pages
from vault_sync.export.exporting import export

DRAWERS = ["pypdfium2", "pdftoppm"]
COLOURS = ("red", "lime", "blue")


def pdf():
    """Three pages of one colour each, four inches by three, each with a white lower half."""
    pages = []
    for colour in COLOURS:
        page = Image.new("RGB", (400, 300), "white")
        page.paste(Image.new("RGB", (400, 150), colour), (0, 0))
        pages.append(page)
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:], resolution=100)
    return buffer.getvalue()


@pytest.fixture(params=DRAWERS)
def drawer(request, monkeypatch):
    """Only one of the two that can draw pages is there."""
    real, spec = shutil.which, util.find_spec
    if request.param == "pypdfium2":
        pytest.importorskip("pypdfium2")
        monkeypatch.setattr(shutil, "which", lambda _: None)
    else:
        if not real("pdftoppm"):
            pytest.skip("Poppler is not installed")
        monkeypatch.setattr(
            util, "find_spec", lambda name: None if name == "pypdfium2" else spec(name)
        )
    return request.param


@pytest.fixture
def no_drawer(monkeypatch):
    spec = util.find_spec
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "pypdfium2" else spec(name))


def colour_of(image, place):
    red, green, blue = image.convert("RGB").getpixel(place)
    return tuple(value > 128 for value in (red, green, blue))


@pytest.mark.parametrize(
    ("place", "colour"),
    [
        ("page=2", (False, True, False)),
        ("", (True, False, False)),
        ("page=3&x=1", (False, False, True)),
    ],
)
def test_the_page_is_drawn(drawer, place, colour):
    image = Image.open(io.BytesIO(pdf_pages.draw_page(pdf(), place)))
    width, height = image.size
    assert (round(width / pdf_pages.DENSITY, 1), round(height / pdf_pages.DENSITY, 1)) == (4, 3)
    assert colour_of(image, (width // 2, height // 4)) == colour
    assert colour_of(image, (width // 2, height * 3 // 4)) == (True, True, True)


def test_a_part_of_a_page(drawer):
    place = "page=2&rect=72,108,144,216"  # points from the lower left corner
    image = Image.open(io.BytesIO(pdf_pages.draw_page(pdf(), place)))
    assert image.size == (200, 300)
    assert colour_of(image, (100, 150)) == (False, True, False)


def test_a_poster_is_no_larger_than_memory_takes(drawer):
    buffer = io.BytesIO()
    Image.new("1", (400, 100), 1).save(buffer, "PDF", resolution=1)  # 10 m wide
    image = Image.open(io.BytesIO(pdf_pages.draw_page(buffer.getvalue(), "")))
    assert image.width <= pdf_pages.LONGEST * 1.01
    assert round(image.width / image.info["dpi"][0]) in range(390, 411)  # inches


def test_what_is_not_there_is_told(drawer):
    with pytest.raises(ValueError, match="it has no page 9, the last is 3"):
        pdf_pages.draw_page(pdf(), "page=9")
    with pytest.raises(ValueError, match=r".{3}"):
        pdf_pages.draw_page(b"%PDF-1.4 nothing", "")


def test_without_a_program_the_hint_installs_one(no_drawer):
    with pytest.raises(UnavailableError) as caught:
        pdf_pages.draw_page(pdf(), "")
    assert caught.value.hint.endswith("-m pip install pypdfium2")


@pytest.mark.parametrize("place", ["rect=1,2", "rect=9,9,1,1", "rect=1..2,1,3,4", "page=x", "a"])
def test_places_that_say_nothing(place):
    assert pdf_pages.part_of(place) is None
    assert pdf_pages.page_of(place) == 1


def test_documents_show_pages(workspace, drawer):
    (workspace.vault / "paper.pdf").write_bytes(pdf())
    embeds = (
        "![[paper.pdf#page=2|The second]]",
        "![third](paper.pdf#page=3)",
        "![[paper.pdf#page=9]]",
    )
    (workspace.vault / "a.md").write_text("\n\n".join(("# A", *embeds)), encoding="utf-8")
    done = export(workspace, (), ExportOptions(to="html"))
    text = done.output.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64") == 2
    assert done.figures == 2
    assert done.warnings == ("a.md:7: paper.pdf can't be shown: it has no page 9, the last is 3",)


def test_documents_tell_what_draws_pages(workspace, no_drawer):
    (workspace.vault / "paper.pdf").write_bytes(pdf())
    (workspace.vault / "a.md").write_text("# A\n\n![[paper.pdf#page=2]]\n", encoding="utf-8")
    (warning,) = export(workspace, (), ExportOptions(to="html")).warnings
    assert warning.startswith("a.md:3: paper.pdf is not shown: pages of PDF files are drawn by")
    assert warning.endswith("pip install pypdfium2")
