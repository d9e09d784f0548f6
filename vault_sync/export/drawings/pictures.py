"""Pictures of the document: found in the vault, checked, copied beside the output, sized."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from featherface.errors import UnavailableError
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.disk.names import parent
from vault_sync.export.drawings.pdf_pages import draw_page
from vault_sync.export.reading.exported_drawings import find_exported, kind_of
from vault_sync.export.reading.linking import line_of
from vault_sync.export.reading.obsidian import EMBED
from vault_sync.export.reading.pandoc_ast import attributes, block, plain, words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pages import SourcePage, SourcePages
    from vault_sync.export.reading.pandoc_ast import Node

KINDS = frozenset(("png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "avif", "svg"))
"""Endings of files that are shown as pictures."""
PDF = "pdf"
PRINTED = frozenset(("png", "jpg", "svg"))
"""Those that every format takes; the others are turned into PNG."""
WIDTH, HEIGHT = 6.3, 7.5
"""The room for a picture on a page, in inches."""
DENSITY = 144.0
"""Pixels per inch of a picture that does not say."""
SCREEN = 96.0
"""Pixels per inch in which Obsidian's sizes (`|300`) are meant."""
_OUTSIDE = re.compile(
    r"<!ENTITY|<script|(?:href|src)\s*=\s*[\"'](?!#|data:)|url\(\s*[\"']?(?!#|data:)|@import",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Picture:
    """A copy of a picture, ready for any format."""

    name: str
    inches: float
    """Its own width; 0 where it is unknown."""
    shape: float
    """Width by height."""

    def share(self, width: float | None) -> int:
        """Return per cent of the page's width, for a WIDTH in inches; no higher than a page."""
        wanted = width or min(max(self.inches, 0.45 * WIDTH), WIDTH) or 0.8 * WIDTH
        return max(1, round(100 * min(wanted, WIDTH, HEIGHT * self.shape) / WIDTH))


@dataclass
class Pictures:
    """Copies pictures into a folder as the document asks for them."""

    index: LinkIndex
    pages: SourcePages
    folder: Path
    """Where the copies go; it is made for the first of them."""
    prefix: str
    """How the document names that folder."""
    warn: Callable[[str], None]
    copies: dict[str, Picture | None] = field(default_factory=dict)

    def picture_rewriter(self, page: SourcePage) -> Callable[[list[Node]], list[Node]]:
        """Return the function that puts copies in the place of pictures in PAGE's inlines."""

        def change(row: list[Node]) -> list[Node]:
            inlines: list[Node] = []
            for node in row:
                inlines += self._show(page, node) if self._is_picture(page, node) else [node]
            return inlines

        return change

    def _is_picture(self, page: SourcePage, node: Node) -> bool:
        """Whether a node shows a file: what embeds a note is left to others."""
        if node["t"] != "Image":
            return False
        target = node["c"][2][0]
        embed = self.pages.reference(target) if target.startswith(f"{EMBED}:") else None
        name = embed[1].target if embed else ""
        is_drawable = name.rpartition(".")[2].lower() in KINDS
        return embed is None or (
            bool(name)
            and (
                is_drawable
                or not self.index.note(name, page.path)
                or kind_of(self.index, name, page.path) is not None
            )
        )

    def _show(self, page: SourcePage, node: Node) -> list[Node]:
        """Return the picture with its caption and size, else what stands for it in words."""
        attrs, alt, (target, _) = node["c"]
        width = _inches(dict(attrs[2]).get("width", ""))
        embed = self.pages.reference(target) if target.startswith(f"{EMBED}:") else None
        if embed is None:
            line = line_of(self.index, page.path, target)
            alt, size = _split(alt)
            name, _, place = unquote(target).partition("#")
        else:
            page, reference = embed
            line, name, place = reference.line, reference.target, reference.place
            sizes = [_inches(option) for option in reference.options]
            size = next((inches for inches in sizes if inches), None)
            alt = words(next((option for option in reference.options if not _inches(option)), ""))
        picture = self._take(page, name, place, f"{page.path}:{line}")
        if picture is None:
            return alt or words(_title(name))
        share = picture.share(width or size)
        content = [attributes(width=f"{share}%"), alt, [f"{self.prefix}/{picture.name}", ""]]
        return [block("Image", content)]

    def add(self, name: str, content: bytes, where: str, density: float) -> Picture | None:
        """Take a PNG picture that was drawn for the document, of DENSITY pixels per inch."""
        return self._store(name, content, "png", where, density)

    def _take(self, page: SourcePage, name: str, place: str, where: str) -> Picture | None:
        """Return the copy of a file; PLACE is what follows its `#`: the page of a PDF file."""
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", name):
            self.warn(
                f"{where}: the picture is not in the vault, and none is fetched: {name[:200]}"
            )
            return None
        kind = kind_of(self.index, name, page.path)
        path = self.index.file(name, page.path) if kind is None else self._exported(page, name)
        if path is None:
            missing = f"there is no file {name!r} to show"
            undrawn = f"the drawing {name} has no picture: {kind.remedy}" if kind else missing
            self.warn(f"{where}: {undrawn}")
            return None
        ending = path.rpartition(".")[2].lower()
        if ending != PDF and ending not in KINDS:
            self.warn(f"{where}: {path} can't be shown on paper: its name stands there")
            return None
        key = f"{path}#{place}" if ending == PDF else path
        if key not in self.copies:
            self.copies[key] = self._copy(path, place, where)
        return self.copies[key]

    def _exported(self, page: SourcePage, name: str) -> str | None:
        return find_exported(self.index, name, page.path)

    def _copy(self, path: str, place: str, where: str) -> Picture | None:
        with open_folder(self.index.root, parent(path)) as folder:
            content = folder.read(path.rpartition("/")[2]) or b""
        kind = path.rpartition(".")[2].lower().replace("jpeg", "jpg")
        if kind != PDF:
            return self._store(path, content, kind, where)
        try:
            return self._store(path, draw_page(content, place), "png", where)
        except ValueError as error:
            self.warn(f"{where}: {path} can't be shown: {str(error)[:150]}")
        except UnavailableError as error:
            self.warn(f"{where}: {path} is not shown: {error}; install it with: {error.hint}")
        return None

    def _store(
        self, path: str, content: bytes, kind: str, where: str, density: float = 0
    ) -> Picture | None:
        try:
            encoded = (
                _read_drawing(content) if kind == "svg" else _read_picture(content, kind, density)
            )
        except ValueError as error:
            self.warn(f"{where}: {path} is no picture that can be read: {str(error)[:100]}")
            return None
        name = f"{_plain(path)}-{hashlib.sha256(encoded.content).hexdigest()[:8]}.{encoded.kind}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.joinpath(name).write_bytes(encoded.content)
        return Picture(name, encoded.inches, encoded.shape)


@dataclass(frozen=True)
class _EncodedPicture:
    """The bytes of a picture in a form that every format takes."""

    content: bytes
    kind: str
    inches: float
    shape: float


def _read_drawing(content: bytes) -> _EncodedPicture:
    """Take an SVG drawing; anything in it that would be fetched from elsewhere is refused."""
    text = content.decode("utf-8")
    if "<svg" not in text:
        raise ValueError("no drawing in it")
    if _OUTSIDE.search(text):
        raise ValueError("it refers to other files")
    box = re.search(r"viewBox\s*=\s*[\"'][\d.+-]+[ ,]+[\d.+-]+[ ,]+([\d.]+)[ ,]+([\d.]+)", text)
    shape = float(box[1]) / max(float(box[2]), 1e-6) if box else 1.5
    return _EncodedPicture(content, "svg", 0.8 * WIDTH, max(shape, 0.01))


def _read_picture(content: bytes, kind: str, given: float = 0) -> _EncodedPicture:
    """Decode a picture whole, so that no later program stumbles over it; GIVEN is its density."""
    from PIL import Image, ImageOps  # noqa: PLC0415 - slow to import

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            image.load()
            upright = ImageOps.exif_transpose(image)
            density = given or float(image.info.get("dpi", (DENSITY, DENSITY))[0] or DENSITY)
            real = (image.format or "").lower().replace("jpeg", "jpg")
            if real != kind or kind not in PRINTED or upright.size != image.size:
                content, kind = _as_png(upright), "png"
    except Exception as error:
        raise ValueError(type(error).__name__) from error
    width, height = upright.size
    return _EncodedPicture(content, kind, width / max(density, SCREEN), width / height)


def _as_png(image: Image.Image) -> bytes:
    supported = (
        image if image.mode in ("RGB", "RGBA", "L", "LA", "P", "1") else image.convert("RGB")
    )
    buffer = io.BytesIO()
    supported.save(buffer, "PNG")
    return buffer.getvalue()


def _plain(path: str) -> str:
    """Return a name of plain letters, for programs that take no others."""
    name = path.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:40] or "picture"


def _title(name: str) -> str:
    """Return what stands for a file that can't be shown: its name."""
    return re.sub(r"(?:\.(?:excalidraw|canvas))?(?:\.md)?\Z", "", name.rpartition("/")[2])


def _split(alt: list[Node]) -> tuple[list[Node], float | None]:
    """Take Obsidian's size off the words of `![words|300](picture.png)`."""
    match = re.fullmatch(r"(?:(.*)\|)?(\d+(?:x\d+)?)", plain(alt))
    return (words(match[1] or ""), _inches(match[2])) if match else (alt, None)


def _inches(size: str) -> float | None:
    match = re.fullmatch(r"(\d+)(?:x\d+)?", size)
    return int(match[1]) / SCREEN if match and int(match[1]) else None
