"""Settings of recipes in words: what a key is called, and how its value reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.markdown import Safe, code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vault_sync.rendering.words import Words

SECTIONS = {"model": "design", "train": "training", "distill": "training", "evaluate": "training"}
"""Section of a recipe -> the phrases that name its keys, where `[recipe_key]` doesn't."""
CHOSEN = (
    *("model.backbone", "model.neck", "model.attention", "model.context"),
    *("model.context_attention", "model.shuffle", "model.head"),
    *("train.augmentations", "train.optimizer", "train.schedule"),
)
"""Keys whose values are names with words of their own."""


def setting_name(words: Words, key: str) -> Safe:
    """Return what the recipe's dotted KEY is called; the key as code where it has no name."""
    section, _, name = key.partition(".")
    for group, phrase in (("recipe_key", key), (SECTIONS.get(section, ""), name)):
        said = words.find(group, phrase)
        if said and "{" not in said:
            return said
    return code(key)


def setting_value(words: Words, key: str, value: object) -> Safe:
    """Write the VALUE of a recipe's KEY: words and numbers of the language; a dash for none."""
    if value in (None, "", [], ()):
        return words.say("none")
    if isinstance(value, bool):
        return words.say("yes" if value else "no")
    if isinstance(value, list | tuple):
        return Safe(words.between.join(_items(words, key, value)))
    if isinstance(value, int | float):
        return _number(words, value)
    chosen = key in CHOSEN
    if chosen and value == "none":
        return words.say("none")
    group = "schedule" if key == "train.schedule" else "choice"
    return (words.find(group, str(value)) if chosen else None) or code(value)


def _items(words: Words, key: str, values: Sequence[object]) -> list[Safe]:
    """Write the parts of a list; a list within stands in brackets."""
    return [
        Safe(f"({setting_value(words, key, value)})")
        if isinstance(value, list | tuple)
        else setting_value(words, key, value)
        for value in values
    ]


def _number(words: Words, value: float) -> Safe:
    return words.number(value, "," if isinstance(value, int) else ".4g")
