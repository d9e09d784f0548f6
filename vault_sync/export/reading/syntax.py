"""What Obsidian and its plugins write that CommonMark does not know."""

from __future__ import annotations

import re

QUERIES = frozenset(
    ("dataview", "dataviewjs", "query", "tasks", "base", "button", "meta-bind", "templater")
)
"""Languages of code fences that a plugin runs; outside Obsidian they say nothing."""
DRAWINGS = frozenset(("plantuml", "chart", "tikz", "excalidraw"))
"""Languages of code fences that Obsidian shows as pictures, and nothing draws here."""

KEY = r"(?:\{[^{}\s]+\}|[\w](?:[\w:.#$%&+?<>~/-]*[\w])?)"
PIECE = r"(?:[^()\[\]\n]|\[\[[^\[\]\n]*\]\])*"
WITH_LINK = rf"{PIECE}\[\[[^\[\]\n|]*@[^\[\]\n]*\]\]{PIECE}"
"""What is within brackets, with a link to the note of a work."""
DELIMITERS = (
    r"(?:\|[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?|:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?)"
)
"""The line under the head of a table."""
TOKEN = re.compile(
    rf"""
  (?P<escape> \\[!-/:-@\[-`{{-~] )
| (?P<fence> ^(?P<prefix>(?:[ \t]*(?:>|[-*+][ \t]|\d{{1,9}}[.)][ \t]))*[ \t]*)
    (?P<ticks>`{{3,}}(?=[^`\n]*$)|~{{3,}})(?P<info>[^\n]*)$ )
| (?P<indented> ^(?:[ ]{{4}}|\t)[ \t]*(?=[^\s]) )
| (?P<task> ^[ \t>]*(?:[-*+]|\d{{1,9}}[.)])[ \t]+\[[^\s\]](?=\][ \t]) )
| (?P<pairs> ^[ \t>]*(?:[-*+][ \t]+)?(?P<strong>\*\*|__|)[\w][\w -]{{0,60}}(?P=strong)::(?=[ \t]) )
| (?P<code> `+ )
| (?P<math> \$\$(?:(?!\n[ \t]*\n)[\s\S])+?\$\$
    | (?<!\w)\$(?=[^\s$])(?:\\[\s\S]|[^$\\\n]|\n(?![ \t]*\n))*?(?<=[^\s\\])\$(?!\d) )
| (?P<attributes> [ \t]*\{{(?=[#.\w-])[^{{}}\n]*\}} )
| (?P<command> \\(?:eqref|ref|autoref|[cC]ref)\{{[^{{}}\n]+\}} )
| (?P<table> \n(?=(?P<within>[ \t>]*)[^\n]*\|[^\n]*\n[ \t>]*{DELIMITERS}[ \t]*$) )
| (?P<caption> ^(?P<quoted>[ \t>]*)(?:Table)?:(?=[ \t]+\S) )
| (?P<guard> &\#8203;(?=<!--) )
| (?P<comment> <!-- )
| (?P<hidden> %% )
| (?P<templater> <%[\s\S]*?%> )
| (?P<cited> \[(?!\[[^\[]){WITH_LINK}\](?![(\[:]) | \({WITH_LINK}\) )
| (?P<link> !?\[\[[^\[\]\n]+\]\] )
| (?P<aside> \^\[ )
| (?P<pair> [\[(](?P<field>[^\[\]()\n:]{{1,60}})::[ \t](?P<value>{PIECE})[\])] )
| (?P<citation> \[(?:[^\[\]\n]|\n(?![ \t]*\n))*?
    (?<![\w.])@(?:[^\[\]\n]|\n(?![ \t]*\n))*\](?![(\[:]) )
| (?P<target> \]\((?:<[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*) )
| (?P<url> <[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*> | \b(?:https?|ftp|doi|mailto|arxiv):[^\s<>|]+ )
| (?P<mark> (?<!=)==(?=[^\s=]) )
| (?P<anchor> (?:(?<=[ \t])|^)\^[A-Za-z0-9-]+[ \t]*$ )
| (?P<tag> (?<![^\s(,>])\#(?=[\w/-]*[^\W\d])[\w/-]+ )
| (?P<handle> (?<![\w.@/:+-])-?@{KEY} )
""",
    re.MULTILINE | re.VERBOSE,
)
PART = re.compile(rf"(?P<before>.*?)(?P<bare>-?)(?<![\w.])@(?P<key>{KEY})(?P<after>.*)", re.DOTALL)
BLANK = re.compile(r"\n[ \t>]*\n")
REFERRING = re.compile(r"\\(?P<form>eqref|ref|autoref|[cC]ref)\{(?P<names>[^{}]+)\}")
"""LaTeX's references, in prose and in formulas."""
LABEL = re.compile(r"\\label\{([^{}]*)\}")
SHOWN = re.compile(r"!\[\[[^\[\]\n]+\]\]|!\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]\([^\n]*\)")
"""A picture, whole."""
BAR = re.compile(r"\\?\|")
INLINE_QUERY = re.compile(r"\$=|=\s|=\s*(?:this|dv)\b")
