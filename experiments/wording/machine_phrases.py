"""Sentences about the machines that numbers were taken on, in English and French."""

from __future__ import annotations

import re

MACHINES: dict[str, tuple[str, str]] = {
    "timed": ("Latency: {setting}", "Latence : {setting}"),
    "timed-differently": (
        "Latencies were taken in different settings, so no difference is given: {settings}",
        (
            "Les latences ont été mesurées dans des conditions différentes, d'où l'absence "
            "d'écart : {settings}"
        ),
    ),
    "machine": ("{what}, measured on {machine}", "{what}, mesures prises sur {machine}"),
    "machines": (
        "{what}: measured on different devices, so no difference is given: {machines}",
        (
            "{what} : mesures prises sur des matériels différents, d'où l'absence d'écart : "
            "{machines}"
        ),
    ),
    "machine-unknown": ("a device that is not recorded", "un matériel non consigné"),
    "rounding": (
        "AP was computed on {machines}: its last digits may differ by rounding",
        "AP calculée sur {machines} : les dernières décimales peuvent différer par l'arrondi",
    ),
    "rounding-unknown": (
        (
            "The record does not tell on what AP was computed: {runs}; a graphics card may have "
            "rounded convolutions (TF32)"
        ),
        (
            "Le compte rendu ne dit pas sur quoi l'AP a été calculée : {runs} ; une carte "
            "graphique a pu arrondir les convolutions (TF32)"
        ),
    ),
}
NOUNS: dict[str, tuple[str, str]] = {
    "taken-latency": ("Latency", "Latence"),
    "taken-memory": ("Peak memory", "Mémoire de pointe"),
}
SETTING = re.compile(r"(?<=\d), batch (\d+)(?:, (\d+) threads)?(?!\w)")
"""Batch and threads in what `protocol` says of a latency, as records hold it."""


def settings_worded(text: str, language: str = "en") -> str:
    """Return TEXT with the settings of latencies in it worded for LANGUAGE.

    >>> settings_worded("320×320, batch 1, 1 threads", "fr")
    "320×320, lots de 1, 1 fil d'exécution"
    >>> settings_worded("320×320, batch 1, 1 threads")
    '320×320, batch 1, 1 thread'
    """
    french = language == "fr"

    def worded(found: re.Match[str]) -> str:
        batch = f", lots de {found[1]}" if french else f", batch {found[1]}"
        if found[2] is None:
            return batch
        several = "s" if found[2] != "1" else ""
        noun = f"fil{several} d'exécution" if french else f"thread{several}"
        return f"{batch}, {found[2]} {noun}"

    return SETTING.sub(worded, text)
