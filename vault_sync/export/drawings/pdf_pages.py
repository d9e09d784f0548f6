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
LONGEST = 5000
"""Pixels of a side at most; a poster has fewer per inch."""
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
        image, density = _draw_by_pdfium(content, number)
    elif (program := shutil.which("pdftoppm")) is not None:
        image, density = _draw_by_poppler(content, number, program)
    else:
        raise UnavailableError(
            "pages of PDF files are drawn by pypdfium2, which is missing", install("pypdfium2")
        )
    buffer = io.BytesIO()
    shown = image if part is None else image.crop(_box(part, image.height, density))
    shown.convert("RGB").save(buffer, "PNG", dpi=(density, density))
    return buffer.getvalue()


def _density(width: float, height: float) -> int:
    """Return the pixels per inch for a page of WIDTH and HEIGHT in points."""
    return max(1, min(DENSITY, round(LONGEST * POINTS / max(width, height, 1))))


def _box(
    part: tuple[float, float, float, float], height: int, density: int
) -> tuple[int, int, int, int]:
    """Turn points from below into pixels from above."""
    left, bottom, right, top = (round(value * density / POINTS) for value in part)
    return left, max(0, height - top), max(left + 1, right), max(1, height - bottom)


def _draw_by_pdfium(content: bytes, number: int) -> tuple[Image.Image, int]:
    import pypdfium2  # noqa: PLC0415 - an extra

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise ValueError(str(error)) from error
    with document:
        if number > len(document):
            raise ValueError(f"it has no page {number}, the last is {len(document)}")
        page = document[number - 1]
        density = _density(*page.get_size())
        image: Image.Image = page.render(scale=density / POINTS).to_pil()
        return image.copy(), density


def _draw_by_poppler(content: bytes, number: int, program: str) -> tuple[Image.Image, int]:
    from PIL import Image  # noqa: PLC0415 - slow to import

    with tempfile.TemporaryDirectory(prefix="thesis-export-") as place:
        folder = Path(place)
        (folder / "x.pdf").write_bytes(content)
        pages = ["-f", str(number), "-l", str(number)]
        about = shutil.which("pdfinfo")
        told = _run([about, *pages, "x.pdf"], folder) if about else ""
        size = re.search(r"Page\s+\d+ size:\s+([\d.]+) x ([\d.]+)", told)
        density = _density(float(size[1]), float(size[2])) if size else DENSITY
        drawn = [program, "-r", str(density), "-png", *pages, "-singlefile", "x.pdf", "page"]
        words = _run(drawn, folder)
        made = folder / "page.png"
        if not made.is_file():
            last = re.search(r"after the last page \((\d+)\)", words)
            fault = f"it has no page {number}, the last is {last[1]}" if last else words[:120]
            raise ValueError(fault or f"it has no page {number}")
        image = Image.open(made)
        image.load()
        return image, density


def _run(command: list[str], folder: Path) -> str:
    """Return all that a program of Poppler says."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program we found, arguments we made
            command, cwd=folder, capture_output=True, check=False, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ValueError(type(error).__name__) from error
    return " ".join((answer.stdout + answer.stderr).decode("utf-8", "replace").split())
