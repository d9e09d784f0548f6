"""The one language that a terminal speaks; docs/decisions/018-terminal-language.md says why."""

TERMINAL = "en"
"""Of all that commands print for a person: answers, warnings, errors, help.

What is written for the thesis (notes, pictures, pages, `--format md|latex|csv`, numbers to paste)
is in the language of the thesis instead: `Session.document_language`.
"""
