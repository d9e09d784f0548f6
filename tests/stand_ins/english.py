"""English sentences in a text that should be French."""

import re

FUNCTION_WORDS = frozenset(
    {
        *("the", "of", "and", "is", "are", "was", "were", "with", "its", "from", "that", "which"),
        *("not", "by", "for", "to", "has", "have", "this", "these", "those", "be", "been", "it"),
        *("than", "where", "only", "nothing", "no", "each", "all", "must", "what", "did", "does"),
    }
)
"""None of them is French as well."""
FEWEST = 2
"""Function words that make a sentence English: a name may hold one."""
_ASIDE = re.compile(
    r"(?ms)\A---\n.*?^---$|<!--.*?-->|```.*?```|`[^`\n]*`|!?\[\[.*?\]\]"
    r"|\]\([^)]*\)|\[@[^\]]*\]|^\^\S+$|\{[{%#].*?[}%#]\}|\$[^$\n]+\$"
)
"""Properties, comments, code, links, citations, ids, what a template fills in, formulas."""


def english_sentences(text, own=()):
    """Return the sentences of Markdown TEXT that are English; OWN are texts of the student's."""
    for words in own:
        text = text.replace(words, "")
    parts = re.split(r"(?<=[.!?;:])\s|\n|\|", _ASIDE.sub(" ", text))
    return [part.strip() for part in parts if _is_english(part)]


def _is_english(part):
    words = re.findall(r"[a-zà-ÿœ']+", part.lower())
    return sum(word in FUNCTION_WORDS for word in words) >= FEWEST
