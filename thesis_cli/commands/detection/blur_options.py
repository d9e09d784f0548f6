"""`--blur`: which faces are covered in copies, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from featherface.errors import UsageError
from featherface.inference.blur_methods import BLUR_METHODS, BLUR_SCORE
from thesis_cli.commands.detection.option_groups import option_group

if TYPE_CHECKING:
    from pathlib import Path

USUAL = next(iter(BLUR_METHODS))


class MethodChoice(click.Choice[str]):
    """One of `BLUR_METHODS`; a picture taken for one is answered with where it belongs."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the method that VALUE names."""
        if value not in BLUR_METHODS:
            self.fail(
                f"{value!r} is no way to blur ({', '.join(BLUR_METHODS)}); if it is a picture, say"
                f" --blur {USUAL} {value}, or put --blur last",
                param,
                ctx,
            )
        return str(value)


class BlurOptions(NamedTuple):
    """What the options say of covering faces."""

    blur: str | None = None
    blur_score: float | None = None
    faceless: str | None = None

    @property
    def copies_faceless(self) -> bool:
        """Whether a picture in which nothing was found is copied as it is."""
        return self.faceless == "copy"

    def lowest(self, score: float) -> float:
        """Give the score from which faces are looked for: SCORE, or lower to be covered."""
        if self.blur is None:
            return score
        return min(BLUR_SCORE, score) if self.blur_score is None else self.blur_score

    def check(self, output: Path | None, score: float) -> None:
        """Refuse options that don't belong together.

        Raises:
            UsageError: the message says what to add or change.
        """
        if self.blur is None:
            given = {"--blur-score": self.blur_score, "--faceless": self.faceless}
            if alone := next((name for name, value in given.items() if value is not None), None):
                raise UsageError(f"{alone} says how --blur covers faces", "add --blur")
        elif output is None:
            raise UsageError("--blur writes copies, and nothing says where", "add --output DIR")
        elif self.lowest(score) > score:
            raise UsageError(
                f"--blur-score {self.blur_score:g} is above --score {score:g}: a face that is told"
                " would stay visible",
                f"give --blur-score {score:g} or lower",
            )


blur_options = option_group(
    "blur",
    BlurOptions,
    click.option(
        "--blur",
        is_flag=False,
        flag_value=USUAL,
        type=MethodChoice(list(BLUR_METHODS)),
        help=f"Write copies to --output in which faces are unrecognisable; alone: {USUAL}.",
    ),
    click.option(
        "--blur-score",
        type=click.FloatRange(0, 1, max_open=True),
        help=f"Cover faces from this lower score on; default: {BLUR_SCORE:g}.",
    ),
    click.option(
        "--faceless",
        type=click.Choice(["skip", "copy"]),
        help="What becomes of pictures in which nothing was found to blur; default: skip.",
    ),
)
