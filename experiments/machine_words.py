"""Sentences about the machines that numbers were taken on, in English and French."""

from __future__ import annotations

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
