"""Appearance of a synthetic person, drawn at random; `faces` paints it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from numpy.random import Generator

Colour = tuple[int, int, int]
Choice = TypeVar("Choice")

SKINS: tuple[Colour, ...] = (
    (250, 226, 208),
    (240, 206, 178),
    (228, 184, 150),
    (207, 158, 120),
    (180, 128, 92),
    (148, 99, 68),
    (116, 76, 52),
    (88, 58, 42),
)
HAIRS: tuple[Colour, ...] = (
    (26, 22, 22),
    (52, 36, 28),
    (88, 56, 34),
    (134, 88, 48),
    (196, 156, 96),
    (158, 74, 38),
    (150, 148, 146),
)
IRISES: tuple[Colour, ...] = ((72, 44, 26), (96, 66, 34), (62, 96, 74), (70, 110, 150))
CLOTHS: tuple[Colour, ...] = (
    (46, 84, 132),
    (158, 48, 52),
    (52, 118, 92),
    (214, 168, 62),
    (98, 74, 130),
    (232, 228, 220),
    (44, 48, 58),
    (206, 118, 76),
)
STYLES = ("short", "short", "fringe", "long", "bob", "curly", "bald", "hat")


@dataclass(frozen=True)
class Appearance:
    """A person; lengths in half face widths, angles as named."""

    skin: Colour
    hair: Colour
    iris: Colour
    cloth: Colour
    accent: Colour
    """Of glasses and masks."""
    style: str
    """Of the hair, one of STYLES."""
    part: float
    """Where the hair is parted."""
    jaw: float
    """How much narrower the jaw is."""
    brow: float
    """How much the brows arch."""
    gaze: float
    """Shift of the irises."""
    smile: float
    """Depth of the mouth's curve; negative: sad."""
    open: float
    """How far the mouth is open."""
    lips: float
    """Redness, 0 to 1."""
    beard: bool
    moustache: bool
    mask: bool
    glasses: str
    """`none`, `clear` or `dark`."""
    yaw: float
    """Turn to the side, radians."""
    roll: float
    """Tilt, degrees counter-clockwise."""
    light: tuple[float, float, float]
    """Direction x, y and strength."""
    exposure: float
    """1 is normal; far from it: extreme illumination."""


def draw_look(rng: Generator) -> Appearance:
    """Choose a person at random."""
    style = _pick(rng, STYLES)
    soft = style in {"long", "bob"}
    return Appearance(
        skin=_varied(rng, _pick(rng, SKINS), 8),
        hair=_varied(rng, _pick(rng, HAIRS), 10),
        iris=_pick(rng, IRISES),
        cloth=_varied(rng, _pick(rng, CLOTHS), 20),
        accent=_varied(rng, _pick(rng, CLOTHS), 20),
        style=style,
        part=float(rng.uniform(-0.45, 0.45)),
        jaw=float(rng.uniform(0.08, 0.34)),
        brow=float(rng.uniform(0.1, 0.4)),
        gaze=float(rng.uniform(-0.07, 0.07)),
        smile=float(rng.uniform(-0.03, 0.17)),
        open=float(rng.choice([0.0, 0.0, 0.0, 0.14, 0.3])),
        lips=float(rng.uniform(0.15, 0.45) + 0.3 * soft),
        beard=bool(rng.random() < 0.22 and not soft),
        moustache=bool(rng.random() < 0.12 and not soft),
        mask=bool(rng.random() < 0.06),
        glasses=str(rng.choice(["none", "clear", "dark"], p=[0.76, 0.17, 0.07])),
        yaw=min(0.45, max(-0.45, float(rng.normal(0, 0.18)))),
        roll=min(40.0, max(-40.0, float(rng.normal(0, 9)))),
        light=(
            float(rng.uniform(-1, 1)),
            float(rng.uniform(-0.6, 0.2)),
            float(rng.uniform(0, 0.5)),
        ),
        exposure=_exposure(rng),
    )


def darker(colour: Colour, factor: float) -> Colour:
    """Scale a colour's brightness."""
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; SHARE is the second's."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _pick(rng: Generator, choices: tuple[Choice, ...]) -> Choice:
    return choices[int(rng.integers(len(choices)))]


def _varied(rng: Generator, colour: Colour, spread: int) -> Colour:
    shifts = rng.integers(-spread, spread + 1, size=3).tolist()
    red, green, blue = (
        min(255, max(0, value + shift)) for value, shift in zip(colour, shifts, strict=True)
    )
    return red, green, blue


def _exposure(rng: Generator) -> float:
    """Mostly normal light; one face in ten lies in the dark or in glare."""
    if rng.random() < 0.1:
        return float(rng.choice([rng.uniform(0.32, 0.5), rng.uniform(1.45, 1.7)]))
    return float(rng.uniform(0.85, 1.12))
