"""Exported documents as their readers see them: text, with the numbers that each program shows.

Word's fields and LaTeX's counters are counted here once more, as those programs do.
"""

from __future__ import annotations

import html
import re
import subprocess
import zipfile
from collections import Counter
from xml.etree import ElementTree as ET

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def plain(text: str) -> str:
    """Return a text with one kind of space."""
    return re.sub(r"\s+", " ", re.sub("[\u00a0\u202f\u2011]", " ", text.replace("\u200b", "")))


def html_text(path) -> str:
    """Return the text of a page."""
    body = path.read_text(encoding="utf-8").partition("<main>")[2]
    body = re.sub(r"<annotation\b.*?</annotation>", "", body, flags=re.DOTALL)
    return plain(
        html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:a|span|strong|em)\b[^>]*>", "", body)))
    )


def pdf_text(path) -> str:
    """Return the text of a PDF, as pdftotext reads it."""
    answer = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"],
        capture_output=True,
        check=True,
    )
    return plain(answer.stdout.decode("utf-8"))


def latex_text(path) -> str:
    """Return the text of a LaTeX source, counted as the class `report` counts."""
    counting = _LatexCounters()
    body = path.read_text(encoding="utf-8").partition("\\begin{document}")[2]
    body = _SHORT.sub(r"\\caption{", re.sub(_HERE, r"\\figurehere{", body))
    body = _COUNTING.sub(counting.step, body)
    body = re.sub(r"\\textbar(?:\{\})?", "|", body)
    body = re.sub(r"\\ref\*\{([^}]*)\}", lambda match: counting.labels[match[1]], body)
    body = re.sub(r"\\hyperref\[[^]]*\]|\\(?:begin|end)\{\w+\}(?:\[[^]]*\])?", "", body)
    body = re.sub(r"\\[a-zA-Z]+\*?(?:\[[^]]*\])?", " ", body).replace("~", " ").replace("--", "–")
    return plain(re.sub(r"[{}]", "", body))


_WITHIN = r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*"
_HERE = re.compile(rf"\\figurehere\{{{_WITHIN}\}}\{{")
_SHORT = re.compile(rf"\\caption\[{_WITHIN}\]\{{")
_COUNTING = re.compile(
    r"\\(?P<head>chapter|section|subsection)(?P<star>\*?)(?=\{)|\\(?P<appendix>appendix)\b"
    r"|\\begin\{(?P<kind>figure|longtable)\}|\\(?P<caption>caption|figurehere)(?=\{)"
    r"|\\begin\{(?P<equation>equation)\}(?:\\tag\{(?P<tag>[^}]*)\})?"
    r"|\\label\{(?P<label>[^}]*)\}|\}\{(?P<named>[a-z][a-z0-9-]*)\}"
)
_HEADS = ("chapter", "section", "subsection")


class _LatexCounters:
    def __init__(self):
        self.heads = [0, 0, 0]
        self.counts = Counter()
        self.lettered = False
        self.kind = self.current = ""
        self.labels = {}

    def step(self, match):
        if match["appendix"]:
            self.lettered, self.heads = True, [0, 0, 0]
            return " "
        if match["label"] or match["named"]:
            self.labels[match["label"] or match["named"]] = self.current
            return " "
        if match["kind"]:
            self.kind = "Figure" if match["kind"] == "figure" else "Table"
            return " "
        if match["head"]:
            return " " if match["star"] else self.head(_HEADS.index(match["head"]))
        if match["tag"]:
            self.current = match["tag"]
            return f" ({self.current}) "
        kind = "equation" if match["equation"] else self.kind
        kind = "Figure" if match["caption"] == "figurehere" else kind
        self.counts[kind] += 1
        self.current = f"{self.chapter}.{self.counts[kind]}"
        return f" ({self.current}) " if match["equation"] else f" {kind} {self.current}: "

    @property
    def chapter(self):
        return chr(64 + self.heads[0]) if self.lettered else str(self.heads[0])

    def head(self, level):
        self.heads[level] += 1
        self.heads[level + 1 :] = [0] * (2 - level)
        if level == 0:
            self.counts.clear()
        self.current = ".".join([self.chapter, *map(str, self.heads[1 : level + 1])])
        return f" {self.current} "


class WordDocument:
    """The text of a Word document, and its fields as they stand and as Word would count them."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            parts = {
                name: ET.fromstring(archive.read(name))  # noqa: S314 - of our own making
                for name in archive.namelist()
                if name.endswith(".xml")
            }
        self.notes = parts["word/footnotes.xml"]
        self.body = parts["word/document.xml"]
        self.bookmarks = {}
        """Name -> what it holds as it stands."""
        self.numbers = {}
        """Name -> the number of the heading that it lies in."""
        self.fields = []
        """Instruction, what it shows, and what it would show."""
        self.heads = {False: [0, 0, 0], True: [0, 0, 0]}
        self.chapter = ""
        self.counts = Counter()
        self.begun = set()
        self.text = plain(self._read(self.body) + self._read(self.notes))

    def _read(self, part) -> str:
        return " ".join(self._paragraph(paragraph) for paragraph in part.iter(f"{W}p"))

    def _paragraph(self, paragraph) -> str:
        head = self._head(paragraph)
        pieces, open_marks, field = [head], {}, None
        for node in paragraph.iter():
            kind = node.tag.removeprefix(W)
            if kind == "bookmarkStart":
                open_marks[node.get(f"{W}id")] = (node.get(f"{W}name"), len(pieces))
                self.numbers[node.get(f"{W}name")] = head
            elif kind == "bookmarkEnd" and node.get(f"{W}id") in open_marks:
                name, start = open_marks.pop(node.get(f"{W}id"))
                self.bookmarks[name] = "".join(pieces[start:])
            elif kind == "fldChar" and node.get(f"{W}fldCharType") == "begin":
                field = ["", ""]
            elif kind == "fldChar" and node.get(f"{W}fldCharType") == "end" and field:
                self.fields.append((field[0].strip(), field[1], self._result(field[0].split())))
                field = None
            elif kind == "instrText" and field:
                field[0] += node.text
            elif kind in ("t", "tab") or node.tag.endswith("math}t"):
                pieces.append(node.text or " ")
                if field and kind == "t":
                    field[1] += node.text or ""
        return "".join(pieces)

    def _head(self, paragraph) -> str:
        """Count a heading; return its number."""
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        match = re.fullmatch(r"Heading([123])", style.get(f"{W}val")) if style is not None else None
        number = paragraph.find(f"{W}pPr/{W}numPr/{W}numId")
        if match is None:
            return ""
        level = int(match[1]) - 1
        if level == 0:
            self.begun.clear()
        if number is not None and number.get(f"{W}val") == "0":
            return ""
        lettered = number is not None
        heads = self.heads[lettered]
        heads[level] += 1
        heads[level + 1 :] = [0] * (2 - level)
        first = chr(64 + heads[0]) if lettered else str(heads[0])
        text = ".".join([first, *map(str, heads[1 : level + 1])])
        self.chapter = text if level == 0 else self.chapter
        return text

    def _result(self, words):
        """Return what Word shows for a field when it counts anew; None for those of pages."""
        if words[0] == "STYLEREF":
            return self.chapter
        if words[0] == "REF":
            return lambda: (self.numbers if "\\n" in words else self.bookmarks)[words[1]]
        if words[0] != "SEQ":
            return None
        name = words[1]
        if "\\r" in words:
            self.counts[name] = int(words[words.index("\\r") + 1])
        elif "\\s" in words and name not in self.begun:
            self.counts[name] = 1
        else:
            self.counts[name] += 1
        if "\\h" in words:
            return ""
        self.begun.add(name)
        return str(self.counts[name])
