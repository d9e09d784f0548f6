"""What tables and figures of a generated text must carry: a caption and an id."""

import re

CAPTION = re.compile(r"(?<!\\)([*_])[^*\n]+[.!?]\1")
LABEL = re.compile(r"\^(?:tbl|fig)-[a-z0-9-]+")


def paragraphs(text):
    return re.split(r"\n{2,}", text.strip())


def unparted(text):
    """Return the tables of TEXT that no sentence of prose introduces after the one before."""
    parts, bare, seen = paragraphs(text), [], False
    for place, part in enumerate(parts):
        if part.startswith("|"):
            before = parts[place - 2] if place > 1 else ""
            if seen and (LABEL.search(before) or before.startswith(("|", "!["))):
                bare.append(part.splitlines()[0])
            seen = True
    return bare


def unlabelled(text):
    """Return the tables and pictures of TEXT that lack a caption or an id."""
    parts, bare = ["", *paragraphs(text), "", ""], []
    for before, part, after in zip(parts, parts[1:], parts[2:], strict=False):
        if part.startswith("|") and not (CAPTION.fullmatch(before) and LABEL.fullmatch(after)):
            bare.append(part.splitlines()[0])
        if part.startswith("![") and not part.startswith("![["):
            caption, _, label = after.rpartition(" ")
            if not (CAPTION.fullmatch(caption) and LABEL.fullmatch(label)):
                bare.append(part)
    return bare
