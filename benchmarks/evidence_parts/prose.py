"""Numbers that nobody measured, typed into chapters, blocks and documents."""

from __future__ import annotations

import re
import shutil
from functools import partial
from typing import TYPE_CHECKING

from evidence_parts.cases import EXPORT, NUMBERS, SYNC, Attack, Impossible
from evidence_parts.finished import DISCUSSION
from evidence_parts.places import linked
from evidence_parts.verbs import call

if TYPE_CHECKING:
    from pathlib import Path

PERFORMANCE = "05-Results/Performance-Analysis.md"
TYPED = {
    "a percentage": "The student reaches 97.3% AP on the hard subset.",
    "a percentage in French": "L'élève atteint 97,3 % d'AP sur le sous-ensemble difficile.",
    "a fraction": "Its mean AP is 0.973.",
    "a negative saving": "It is smaller by −82.6 % in parameters.",
    "a plus or minus": "It reaches an AP of 82,6 ± 0,4 %.",
    "a range": "Its AP lies between 82,6–83,5 % on Hard.",
    "an interval": "Its AP on Hard is in [82,6 ; 83,5] %.",
    "a power of ten": "The error falls to 4,53×10⁻⁶ at the same recall.",
    "a latency": "One picture takes 12 ms on the CPU.",
    "a latency in French": "Une image demande 12,5 ms sur le processeur.",
    "a speed-up": "It is 3.2× faster than the teacher.",
    "a speed-up in words": "It is 3.2 times faster than the teacher.",
    "a speed-up in French": "Il est 3,2 fois plus rapide que le professeur.",
    "parameters": "It has 98,000 parameters.",
    "parameters in French": "Il compte 98 000 paramètres.",
    "a size": "Its weights take 0.31 MB.",
    "operations": "It needs 0.21 GFLOPs at 640 pixels.",
    "a rate": "It reaches 85 FPS on the CPU.",
    "a bold number": "It reaches **97.3 %** AP on Hard.",
    "a number in a list": "- Hard AP: 97.3 %",
    "a number in a table": "| run | Hard AP |\n| --- | --- |\n| v2 | 97.3 % |",
    "a number in a heading": "## 97.3 % AP on Hard",
    "a number in a callout": "> [!note] Result\n> 97.3 % AP on Hard",
    "a number in a footnote": "The best one.[^1]\n\n[^1]: It has 97.3 % AP on Hard.",
    "a number beside a bound one": "Its AP: <!--t:v2 params.total--><!--/t-->, and 97.3 % on Hard.",
    "a superlative": "It has the best AP of all, 97.3 %.",
}
"""What it is called -> what is typed into the chapter."""


def discussion(root: Path) -> Path:
    return root / "vault" / DISCUSSION


def typed(root: Path, text: str) -> None:
    path = discussion(root)
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n{text}\n", encoding="utf-8", newline="\n")
    if "--><!--/t-->" in text:
        call(root, "check", "numbers", "--fix")


def typed_in_chapter(root: Path) -> None:
    path = root / "vault" / PERFORMANCE
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\nIt has 97.3 % AP on Hard.\n", encoding="utf-8", newline="\n")


def exchanged(path: Path, pattern: str, new: str) -> None:
    """Put NEW in the place of the first match of PATTERN in the note at PATH."""
    before = path.read_text(encoding="utf-8")
    after = re.sub(pattern, new, before, count=1, flags=re.DOTALL)
    if after == before:
        raise Impossible(f"{path.name} has no {pattern}")
    path.write_text(after, encoding="utf-8", newline="\n")


def hand_edited(root: Path) -> None:
    exchanged(discussion(root), r"(mean_ap \.1%-->)[^<]+", r"\g<1>99.9 %")


def hand_edited_parameters(root: Path) -> None:
    exchanged(discussion(root), r"(params\.total-->)[^<]+", r"\g<1>98,000")


def of_another_metric(root: Path) -> None:
    exchanged(discussion(root), r"t:v2 params\.total-->", "t:v2 widerface.mean_ap .1%-->")


def orphan(root: Path) -> None:
    exchanged(discussion(root), r"t:v2 params", "t:v9 params")


def without_end(root: Path) -> None:
    exchanged(discussion(root), r"(params\.total-->[^<]+)<!--/t-->", r"\g<1>")


def stale(root: Path) -> None:
    """A bound number of an evaluation that a wider one has replaced."""
    exchanged(discussion(root), r"t:v2 params\.total-->[^<]+", "t:v2 epochs-->7")


def block_number(root: Path) -> None:
    """Type another percentage over one inside a generated block."""
    exchanged(root / "vault" / PERFORMANCE, r"(\n\|[^\n]*?)\d+[.,]\d(\s?%)", r"\g<1>99.9\g<2>")


def block_row(root: Path) -> None:
    """Add a row to a generated table."""
    exchanged(
        root / "vault" / PERFORMANCE, r"(\n\|[^\n]*v2[^\n]*\|)", r"\g<1>\n| v2-ultra | 99.9 % |"
    )


def block_unmarked(root: Path) -> None:
    """Take one end marker away: the block's numbers look like prose."""
    exchanged(root / "vault" / PERFORMANCE, r"<!-- thesis:end[^\n]*-->\n", "")


def block_copied(root: Path) -> None:
    """Copy a whole generated chapter, its markers too, into a note of one's own, and edit it."""
    copy = root / "vault" / "05-Results" / "Copy.md"
    shutil.copy2(root / "vault" / PERFORMANCE, copy)
    exchanged(copy, r"(\n\|[^\n]*?)\d+[.,]\d(\s?%)", r"\g<1>99.9\g<2>")


def milestone_block(root: Path) -> None:
    path = root / "vault" / "05-Results" / "Milestones.md"
    exchanged(path, r"115,288", "98,000")


def altered_document(root: Path) -> None:
    """Export, edit the document, and export again: it is not written over in silence."""
    call(root, "vault", "export", "--to", "html")
    (document,) = (root / "export").glob("*.html")
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace("115,288", "98,000"), encoding="utf-8")


def note_linked(root: Path) -> None:
    """A chapter becomes a link to a file outside, with another number in its block."""
    chapter = root / "vault" / PERFORMANCE
    outside = root.parent / "outside.md"
    chapter.rename(outside)
    exchanged(outside, r"(\n\|[^\n]*?)\d+[.,]\d(\s?%)", r"\g<1>99.9\g<2>")
    linked(outside, chapter)


def picture_exchanged(root: Path) -> None:
    (picture, *_) = sorted((root / "vault" / "attachments").glob("v2@1-*.png"))
    shutil.copy2(next(iter((root / "vault" / "attachments").glob("v1@1-*.png"))), picture)


WRITTEN = (NUMBERS, EXPORT)
EDITED = (NUMBERS, SYNC, EXPORT)
PROSE = (
    *(Attack(f"typed: {kind}", partial(typed, text=text), WRITTEN) for kind, text in TYPED.items()),
    Attack("typed: a percentage in a chapter", typed_in_chapter, WRITTEN),
    Attack("bound: AP edited by hand", hand_edited, EDITED),
    Attack("bound: parameters edited by hand", hand_edited_parameters, EDITED),
    Attack("bound: another metric's value", of_another_metric, EDITED),
    Attack("bound: of a run that isn't there", orphan, EDITED),
    Attack("bound: of a metric that isn't there", stale, EDITED),
    Attack("bound: without its end", without_end, EDITED),
    Attack("block: a number edited", block_number, EDITED),
    Attack("block: a row added", block_row, EDITED),
    Attack("block: its end taken away", block_unmarked, EDITED),
    Attack("block: copied and edited", block_copied, EDITED),
    Attack("block: a claim's value edited", milestone_block, EDITED),
    Attack("vault: a picture exchanged", picture_exchanged, (SYNC, EXPORT)),
    Attack("vault: a chapter linked elsewhere", note_linked, (SYNC, EXPORT)),
    Attack("document: altered and exported again", altered_document, (EXPORT,)),
)
