"""The ways to make faces unrecognisable, by name. Lean."""

from __future__ import annotations

BLUR_METHODS = {
    "pixelate": "a few coarse squares of mean colour",
    "gauss": "the same few colours, blended softly",
    "fill": "plain grey: nothing at all is left",
}
"""Name -> what stands in the place of a face; how, `featherface.inference.face_blur` knows."""

BLUR_SCORE = 0.1
"""From which score a face is covered, unless another is asked for: lower than one is told, as a
face too many harms less than one that stays visible."""
