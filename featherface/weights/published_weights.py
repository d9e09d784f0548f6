"""Published weights by variant and digest. Lean: a table, no files.

The files are other people's work and are not part of this program: `thesis model import` takes
them where you have them, and knows them by their digest.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PublishedWeights:
    """One checkpoint that somebody published."""

    variant: str
    title: str
    reported: tuple[float, float, float]
    """AP on WIDER FACE val, Easy, Medium, Hard, as read from its authors (original size, single
    scale, unless TITLE says otherwise); never measured here."""
    sha256: str
    """Of the published file."""


PUBLISHED: tuple[PublishedWeights, ...] = (
    PublishedWeights(
        variant="v1-official",
        title="FeatherFace, the authors' repository",
        reported=(0.9265, 0.9024, 0.7808),
        sha256="f7656f997e7debd687810ff8d4f121e3e92703cf6ea718cb3f300886d3ab994b",
    ),
    PublishedWeights(
        variant="v1-489k",
        title="the thesis author's V1",
        reported=(0.9258, 0.9024, 0.7716),
        sha256="3271e30763c069c9dcad6368ae048c53b6be2acf60179240e6b147e6359ef80d",
    ),
    PublishedWeights(
        variant="eca-cbam",
        title="the thesis author's ECA-CBAM (no training log was found)",
        reported=(0.858, 0.839, 0.783),
        sha256="81cdeffd35c13e2123d63080c9bd16a9eebe6f8e0579994ad6322b6393a10666",
    ),
    PublishedWeights(
        variant="v2-coordatt",
        title="the thesis author's V2 with coordinate attention (no AP was found)",
        reported=(float("nan"), float("nan"), float("nan")),
        sha256="c1fb500ec124812fd2d28cd31695bb94b361e1c94282b82dd2dff0e513345111",
    ),
    PublishedWeights(
        variant="retinaface-mnet025",
        title="RetinaFace with MobileNet x0.25, its PyTorch repository",
        reported=(0.9070, 0.8816, 0.7382),
        sha256="2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
    ),
    PublishedWeights(
        variant="retinaface-1mb",
        title="RetinaFace of Face-Detector-1MB-with-landmark (AP with the longer side at 640)",
        reported=(0.873, 0.836, 0.638),
        sha256="ed6fa7d45a5179f03cb5ce82c73b0c6711372968e53782e88395acee88d319e1",
    ),
)


def published(variant: str) -> list[PublishedWeights]:
    """Return what was published for VARIANT."""
    return [weights for weights in PUBLISHED if weights.variant == variant]


def recognised(sha256: str) -> PublishedWeights | None:
    """Return the published weights whose file has this digest; None where it is another."""
    return next((weights for weights in PUBLISHED if weights.sha256 == sha256), None)
