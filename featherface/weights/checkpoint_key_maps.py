"""Parameter names of published checkpoints, mapped to ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Replacement = str | Callable[[re.Match[str]], str]

COUNTERS = ("total_ops", "total_params")
"""Last parts of the names that operation counters leave behind."""
CLASSIFIER = ("fc.",)
"""What an ImageNet backbone has beyond a detector's."""

_SHUFFLE = {
    "1": "reduce",
    "2": "reduce_norm",
    "3": "depthwise",
    "4": "depthwise_norm",
    "5": "expand",
    "6": "expand_norm",
}


def our_name(name: str) -> str:
    """Return what we call the weight that published checkpoints call NAME.

    A name of ours comes back as it is.
    """
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _lower(prefix: str) -> Callable[[re.Match[str]], str]:
    """Count from zero where they count from one."""
    return lambda match: f"{prefix}.{int(match[1]) - 1}."


_NAMES: tuple[tuple[str, Replacement], ...] = (
    (r"^body\.", "backbone."),
    (r"^(stage\d\.)", r"backbone.\1"),
    # Attention; the misspelling is theirs.
    (r"^bacbkbone_(\d)_cbam\.", r"attention.\1."),
    (r"^bif_cbam_(\d)\.", r"neck_attention.\1."),
    (r"\.ChannelGate\.mlp\.1\.", ".channel.reduce."),
    (r"\.ChannelGate\.mlp\.3\.", ".channel.expand."),
    (r"\.SpatialGate\.spatial\.conv\.", ".spatial.conv."),
    (r"\.SpatialGate\.spatial\.bn\.", ".spatial.norm."),
    (r"^backbone_attention_(\d)\.", r"attention.\1."),
    (r"^bifpn_attention_(\d)\.", r"neck_attention.\1."),
    (r"\.eca\.conv\.", ".channel.conv."),
    (r"\.sam\.conv\.", ".spatial.conv."),
    (r"^ca_p(\d)\.", lambda match: f"context_attention.{int(match[1]) - 3}."),
    (r"\.conv_transform\.", ".reduce."),
    (r"\.bn_transform\.", ".norm."),
    (r"\.conv_h\.", ".expand_rows."),
    (r"\.conv_w\.", ".expand_columns."),
    # BiFPN: laterals sit in the first layer.
    (r"^bifpn\.0\.p3_down_channel\.([01])(\.conv)?\.", r"neck.down.0.\1."),
    (r"^bifpn\.0\.p4_down_channel\.([01])(\.conv)?\.", r"neck.down.1.\1."),
    (r"^bifpn\.0\.p5_down_channel\.([01])(\.conv)?\.", r"neck.down.2.\1."),
    (r"^bifpn\.0\.p4_down_channel_2\.([01])(\.conv)?\.", r"neck.up.0.\1."),
    (r"^bifpn\.0\.p5_down_channel_2\.([01])(\.conv)?\.", r"neck.up.1.\1."),
    (r"^bifpn\.(\d)\.p4_w1$", r"neck.layers.\1.fuse4_down.weight"),
    (r"^bifpn\.(\d)\.p3_w1$", r"neck.layers.\1.fuse3.weight"),
    (r"^bifpn\.(\d)\.p4_w2$", r"neck.layers.\1.fuse4_up.weight"),
    (r"^bifpn\.(\d)\.p5_w2$", r"neck.layers.\1.fuse5.weight"),
    (r"^bifpn\.(\d)\.conv4_up\.", r"neck.layers.\1.node4_down."),
    (r"^bifpn\.(\d)\.conv3_up\.", r"neck.layers.\1.node3."),
    (r"^bifpn\.(\d)\.conv4_down\.", r"neck.layers.\1.node4_up."),
    (r"^bifpn\.(\d)\.conv5_down\.", r"neck.layers.\1.node5."),
    (r"\.(depthwise|pointwise)_conv\.conv\.", r".\1."),
    (r"(\.node\w+)\.bn\.", r"\1.norm."),
    # RetinaFace's pyramid counts its levels from one, ours are named by stride.
    (r"^fpn\.output(\d)\.", lambda match: f"neck.lateral{int(match[1]) + 2}."),
    (r"^fpn\.merge(\d)\.", lambda match: f"neck.merge{int(match[1]) + 2}."),
    # Context and shuffle.
    (r"^ssh(\d)_cs\.(\d)\.", lambda m: f"shuffle.{int(m[1]) - 1}.{_SHUFFLE.get(m[2], m[2])}."),
    (r"^ssh(\d)\.", _lower("context")),
    (r"\.conv3X3\.", ".branch3."),
    (r"\.conv5X5_1\.", ".branch5_first."),
    (r"\.conv5X5_2\.", ".branch5_last."),
    (r"\.conv7X7_2\.", ".branch7_middle."),
    (r"\.conv7x7_3\.", ".branch7_last."),
    (r"\.offset_conv\.", ".offset."),
    (r"\.modulator_conv\.", ".modulator."),
    (r"\.regular_conv\.", ".kernel."),
    # Heads.
    (r"^BboxHead\.(\d)\.conv1x1\.", r"heads.tasks.boxes.\1."),
    (r"^ClassHead\.(\d)\.conv1x1\.", r"heads.tasks.classes.\1."),
    (r"^LandmarkHead\.(\d)\.conv1x1\.", r"heads.tasks.landmarks.\1."),
)
"""Pattern and replacement, applied in this order."""
