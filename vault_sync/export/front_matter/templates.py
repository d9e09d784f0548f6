"""A university's own Word document, LaTeX class, Typst template and citation style, checked first.

What each of them gets is told in docs/export.md.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from experiments.workspace.workspace import Workspace

LARGEST = 20 * 2**20
"""Bytes that the folder of a class or template may bring along."""
OTHERS = {
    "latex": (".typ", ".docx", ".dotx", ".csl"),
    "typst": (".cls", ".sty", ".docx", ".dotx", ".csl"),
}
"""Layout -> suffixes of what only the others need, where one folder holds all of a university's."""
PICTURES = (".png", ".jpg", ".jpeg")
"""Suffixes of a logo: those that every format shows."""
_CLASS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True)
class OwnTemplates:
    """Files of the user's that shape the document; None where the program's own look stands."""

    root: Path
    """The workspace: files that lie in it directly come alone, others with their folder."""
    reference_docx: Path | None = None
    reference_pptx: Path | None = None
    latex_class: Path | str | None = None
    """A .cls file, or the name of a class that TeX knows."""
    latex_preamble: Path | None = None
    typst_template: Path | None = None
    csl: Path | None = None
    logo: Path | None = None

    @property
    def class_name(self) -> str:
        r"""Return what `\documentclass` is given; empty where it is ours."""
        named = self.latex_class
        return named.stem if isinstance(named, Path) else named or ""

    def beside(self, layout: str) -> dict[str, Path]:
        """Return the files that must lie beside the document's source: name -> file.

        Raises:
            UsageError: they are too much.
        """
        main = {"latex": self.latex_class, "typst": self.typst_template}.get(layout)
        files = dict(_with_folder(main, self.root)) if isinstance(main, Path) else {}
        unwanted = OTHERS.get(layout, ())
        files = {name: file for name, file in files.items() if file.suffix not in unwanted}
        if layout == "latex" and self.latex_preamble:
            files[self.latex_preamble.name] = self.latex_preamble
        return files


def check_templates(workspace: Workspace, layout: str, style: Path | None) -> OwnTemplates:
    """Find and check the files that LAYOUT (`typst`, `latex`, `docx`, `html5`, `pptx`) needs.

    STYLE is a citation style that wins over that of the settings.

    Raises:
        NotFoundError: a file is not there.
        UsageError: it is no file of its kind; the message says what it lacks.
    """
    setting = workspace.settings

    def file(key: str, test: Callable[[Path], str], *, wanted: bool = True) -> Path | None:
        text = setting[key]
        if not text or not wanted:
            return None
        path = (workspace.root / Path(text).expanduser()).resolve()
        return _checked(path, test, f"thesis.toml: {key}", f"correct {key.partition('.')[2]}")

    named = setting["export.latex_class"] if layout == "latex" else ""
    is_file = named.endswith(".cls") or "/" in named or "\\" in named
    own_csl = file("export.csl", _csl_fault, wanted=style is None)
    return OwnTemplates(
        root=workspace.root,
        reference_docx=file("export.reference_docx", _docx_fault, wanted=layout == "docx"),
        reference_pptx=file("export.reference_pptx", _pptx_fault, wanted=layout == "pptx"),
        latex_class=file("export.latex_class", _class_fault) if is_file else _class(named),
        latex_preamble=file("export.latex_preamble", _text_fault, wanted=layout == "latex"),
        typst_template=file("export.typst_template", _typst_fault, wanted=layout == "typst"),
        csl=own_csl if style is None else _checked(style, _csl_fault, "--csl", "correct --csl"),
        logo=file("document.logo", _logo_fault),
    )


def copy_beside(files: dict[str, Path], folder: Path) -> None:
    """Copy FILES into FOLDER, under their names there."""
    for name, path in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _checked(path: Path, test: Callable[[Path], str], where: str, remedy: str) -> Path:
    if not path.is_file():
        raise NotFoundError(
            f"{where}: there is no file {path}", f"{remedy}; paths start at the workspace"
        )
    try:
        fault = test(path)
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile):
        fault = "it can't be read as one"
    if fault:
        raise UsageError(f"{where}: {path.name}: {fault}", f"{remedy}; see docs/export.md")
    return path.resolve()


def _class(name: str) -> str | None:
    """Check the name of a class that TeX knows, where a TeX can be asked."""
    if not name:
        return None
    asked = shutil.which("kpsewhich")
    known = _CLASS_NAME.fullmatch(name) is not None
    if known and asked:
        import subprocess  # noqa: PLC0415 - only for classes by name

        answer = subprocess.run(  # noqa: S603 - a program we found, a name of letters
            [asked, f"{name}.cls"], capture_output=True, check=False, timeout=60
        )
        known = answer.returncode == 0
    if not known:
        raise NotFoundError(
            f"thesis.toml: export.latex_class: your TeX knows no class {name!r}",
            f'name the file, from the workspace: latex_class = "{name}.cls"',
        )
    return name


def _class_fault(path: Path) -> str:
    if path.suffix != ".cls":
        return "a LaTeX class is a file that ends with .cls"
    if " " in path.name:
        return "TeX takes no class whose name holds a space"
    text = path.read_text(encoding="utf-8", errors="replace")
    if not re.search(r"\\(?:ProvidesClass|LoadClass|ProvidesExplClass)", text):
        return "it holds neither \\ProvidesClass nor \\LoadClass, so it is no LaTeX class"
    return ""


def _typst_fault(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".typ":
        return "a Typst template is a file that ends with .typ"
    if not re.search(r"^#let\s+thesis\s*\(", text, re.MULTILINE):
        return "it defines no function thesis: #let thesis(data, body) = { … }"
    return ""


def _docx_fault(path: Path) -> str:
    if path.suffix.lower() not in (".docx", ".dotx"):
        return "it is no Word document of today's kind: save it as .docx"
    with zipfile.ZipFile(path) as archive:
        missing = {"word/document.xml", "word/styles.xml"} - set(archive.namelist())
    return f"it holds no {min(missing)}, so Word did not write it" if missing else ""


def _pptx_fault(path: Path) -> str:
    if path.suffix.lower() not in (".pptx", ".potx"):
        return "it is no PowerPoint document of today's kind: save it as .pptx"
    with zipfile.ZipFile(path) as archive:
        missing = {"ppt/presentation.xml", "ppt/slideMasters/slideMaster1.xml"} - set(
            archive.namelist()
        )
    return f"it holds no {min(missing)}, so PowerPoint did not write it" if missing else ""


def _csl_fault(path: Path) -> str:
    start = path.read_text(encoding="utf-8")[:4000]
    return "" if "purl.org/net/xbiblio/csl" in start else "it is no citation style (CSL)"


def _text_fault(path: Path) -> str:
    path.read_text(encoding="utf-8")
    return ""


def _logo_fault(path: Path) -> str:
    return "" if path.suffix.lower() in PICTURES else "a logo is a PNG or JPEG picture"


def _with_folder(path: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the file and, where it has a folder of its own, what lies there with it."""
    yield path.name, path
    if path.parent == root or not path.is_relative_to(root):
        return
    total = 0
    for file in sorted(path.parent.rglob("*")):
        if not file.is_file() or file == path or file.name.startswith("."):
            continue
        total += file.stat().st_size
        if total > LARGEST:
            raise UsageError(
                f"the folder of {path.name} holds more than {LARGEST // 2**20} MB",
                "put the template and what it needs into a folder of their own",
            )
        yield file.relative_to(path.parent).as_posix(), file
