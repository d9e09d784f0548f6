"""A detector of some hundred numbers, for trainings that a plain loop repeats."""

import torch
from torch import nn
from torch.nn import functional

from featherface.networks.detector import RawOutput
from featherface.networks.layers.dropblock import DropBlock
from featherface.variants.table import variant


class Heads(nn.Module):
    """Raw predictions of two priors at each position, level by level."""

    def __init__(self, channels):
        super().__init__()
        self.predict = nn.Conv2d(channels, 2 * 16, 1)

    def forward(self, maps):
        rows = [self.predict(one).permute(0, 2, 3, 1).reshape(len(one), -1, 16) for one in maps]
        return torch.cat(rows, 1).split((4, 2, 10), -1)


class TinyDetector(nn.Module):
    """One convolution, one norm, and heads; it computes in the precision of its weights.

    Its variances are powers of two, and so are the priors of a picture of 64 pixels: in double
    precision nothing is rounded to single precision on the way.
    """

    def __init__(self, seed, channels=4, dropblock=0.0):
        super().__init__()
        self.config = variant("v3-nano", channels=channels, variances=(0.125, 0.25))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            convolution = nn.Conv2d(3, channels, 8, stride=8, bias=False)
            self.backbone = nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.Tanh())
            self.heads = Heads(channels)
        self.dropblock = DropBlock(dropblock, 3) if dropblock else nn.Identity()

    def features(self, images):
        """Return the maps of strides 8, 16 and 32."""
        fine = self.backbone(images.to(self.heads.predict.weight.dtype) / 64)
        middle = functional.avg_pool2d(fine, 2)
        return self.dropblock([fine, middle, functional.avg_pool2d(middle, 2)])

    def predict(self, maps):
        return RawOutput(*self.heads(maps))

    def forward(self, images):
        return self.predict(self.features(images))
