"""The auto-augment policy: sub-policies of two operations each.

The form is AutoAugment's for detection (Zoph et al., 2019, https://arxiv.org/abs/1906.11172): a
list of policies of which each picture gets one. Differs: nothing was searched. The pairs join an
operation on where faces are with one on how they look, and every operation draws its own strength.
"""

from __future__ import annotations

POLICY: tuple[tuple[tuple[str, float], ...], ...] = (
    (("mosaic", 0.8), ("distort", 0.4)),
    (("mosaic", 0.5), ("erase", 0.5)),
    (("mixup", 0.6), ("distort", 0.4)),
    (("cutmix", 0.8), ("erase", 0.4)),
    (("cutmix", 0.5), ("compose", 0.5)),
    (("compose", 0.8), ("distort", 0.6)),
    (("compose", 0.6), ("erase", 0.6)),
    (("erase", 0.8), ("distort", 0.6)),
    (("distort", 0.8),),
    (),
)
"""Each a tuple of (operation, its probability); the last leaves the picture as it is."""
