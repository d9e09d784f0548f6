"""Pages of PDF files as pictures."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError
from vault_sync.export.reading.pandoc import install

if TYPE_CHECKING:
    from PIL import Image

DENSITY = 200
"""Pixels per inch: small print stays readable."""
POINTS = 72.0
"""Of a PDF, per inch."""
PATIENCE = 60.0
"""Seconds that Poppler may take for a page."""


def page_of(place: str) -> int:
    """Return the page that `page=3`, what Obsidian writes after the `#`, means; else the first."""
    match = re.search(r"(?:\A|&)page=(\d{1,6})(?:&|\Z)", place)
    return max(1, int(match[1])) if match else 1


def part_of(place: str) -> tuple[float, float, float, float] | None:
    """Return left, bottom, right and top, in points, of `rect=…`, as the plugin PDF++ writes it."""
    match = re.search(r"(?:\A|&)rect=([\d.]+),([\d.]+),([\d.]+),([\d.]+)(?:&|\Z)", place)
    if match is None:
        return None
    try:
        left, bottom, right, top = map(float, match.groups())
    except ValueError:
        return None
    return (left, bottom, right, top) if left < right and bottom < top else None


def draw_page(content: bytes, place: str) -> bytes:
    """Return a page of the PDF file CONTENT as PNG; PLACE says which, and which part of it.

    Raises:
        ValueError: it is no PDF file, is locked, or has no such page.
        UnavailableError: neither pypdfium2 nor Poppler is there; the hint installs the former.
    """
    number, part = page_of(place), part_of(place)
    if util.find_spec("pypdfium2") is not None:
        image = _draw_by_pdfium(content, number)
    elif (program := shutil.which("pdftoppm")) is not None:
        image = _draw_by_poppler(content, number, program)
    else:
        raise UnavailableError(
            "pages of PDF files are drawn by pypdfium2, which is missing", install("pypdfium2")
        )
    buffer = io.BytesIO()
    shown = image if part is None else image.crop(_box(part, image.height))
    shown.convert("RGB").save(buffer, "PNG", dpi=(DENSITY, DENSITY))
    return buffer.getvalue()


def _box(part: tuple[float, float, float, float], height: int) -> tuple[int, int, int, int]:
    """Turn points from below into pixels from above."""
    left, bottom, right, top = (round(value * DENSITY / POINTS) for value in part)
    return left, max(0, height - top), right, max(1, height - bottom)


def _draw_by_pdfium(content: bytes, number: int) -> Image.Image:
    import pypdfium2  # noqa: PLC0415 - an extra

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise ValueError(str(error)) from error
    with document:
        if number > len(document):
            raise ValueError(f"it has no page {number}, the last is {len(document)}")
        image: Image.Image = document[number - 1].render(scale=DENSITY / POINTS).to_pil()
        return image.copy()


def _draw_by_poppler(content: bytes, number: int, program: str) -> Image.Image:
    from PIL import Image  # noqa: PLC0415 - slow to import

    with tempfile.TemporaryDirectory(prefix="thesis-export-") as place:
        folder = Path(place)
        (folder / "x.pdf").write_bytes(content)
        pages = ["-f", str(number), "-l", str(number), "-singlefile"]
        command = [program, "-r", str(DENSITY), "-png", *pages, "x.pdf", "page"]
        try:
            answer = subprocess.run(  # noqa: S603 - a program we found, arguments we made
                command, cwd=folder, capture_output=True, check=False, timeout=PATIENCE
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError(type(error).__name__) from error
        made = folder / "page.png"
        if not made.is_file():
            words = " ".join(answer.stderr.decode("utf-8", "replace").split())
            last = re.search(r"after the last page \((\d+)\)", words)
            told = f"it has no page {number}, the last is {last[1]}" if last else words[:120]
            raise ValueError(told or f"it has no page {number}")
        image = Image.open(made)
        image.load()
        return image
