"""What plain exporters are given computes what the network does."""

from __future__ import annotations

import operator

import pytest
import torch
from stand_ins.networks import every_network
from torch import nn

from featherface.errors import UsageError
from featherface.export.onnx_file import traced
from featherface.export.rewrites import (
    GRID,
    LOOKUPS,
    FoldedFusion,
    GridDeformableConv,
    LookupDeformableConv,
    plain,
)
from featherface.networks.layers.deformable import DeformableConv
from featherface.networks.necks.bifpn import Fusion
from featherface.validation.case import VariantCase, pictures
from featherface.variants.table import variant

SIZE = (64, 96)
CLOSE = 1e-5
WAYS = {LOOKUPS: LookupDeformableConv, GRID: GridDeformableConv}


def moved_far(channels, outputs):
    """Return a deformable convolution whose taps leave the picture, in every direction."""
    generator = torch.Generator().manual_seed(3)
    layer = DeformableConv(channels, outputs).eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(std=1.0, generator=generator)
        layer.kernel.weight.mul_(0.1)
    return layer


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("extent", [(6, 9), (1, 1), (2, 16)])
def test_deformable_convolution_by_plain_operations_gives_the_same(way, extent):
    layer = moved_far(5, 4)
    features = torch.randn(1, 5, *extent, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        offset = layer.offset(features)
        wanted, given = layer(features), WAYS[way](layer, extent)(features)
    assert offset.abs().max() > max(extent) or extent == (2, 16)
    torch.testing.assert_close(given, wanted, atol=CLOSE, rtol=CLOSE)


@pytest.mark.parametrize("idle", [0, 1])
def test_folded_fusion_weights_give_the_same_mean(idle):
    fusion = Fusion(2, idle=idle)
    with torch.no_grad():
        fusion.weight.copy_(torch.tensor([0.3, -0.4, 2.0])[: 2 + idle])
        maps = torch.randn(2, 1, 4, 3, 5)
        torch.testing.assert_close(FoldedFusion(fusion)(*maps), fusion(*maps), atol=1e-6, rtol=0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", every_network(("v1", "v2", "v3-nano")))
def test_a_rewritten_network_gives_the_answers_of_the_network(name, way):
    model = VariantCase(name, variant(name)).stirred()
    images = pictures(1, *SIZE)
    with torch.no_grad():
        for given, wanted in zip(
            plain(model, SIZE, way)(images), traced(model)(images), strict=True
        ):
            torch.testing.assert_close(given, wanted, atol=CLOSE, rtol=CLOSE)


def test_no_weight_is_laid_out_channels_last_which_litert_torch_reads_as_other_numbers():
    model = VariantCase("v1", variant("v1")).network()
    assert not all(value.is_contiguous() for value in model.state_dict().values())
    network = plain(model, SIZE)
    values = [*network.parameters(), *network.buffers()]
    assert all(value.is_contiguous() for value in values)


def test_rewriting_leaves_the_network_as_it_was():
    model = VariantCase("v1", variant("v1")).stirred().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plain(model, SIZE)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert any(isinstance(module, DeformableConv) for module in model.modules())


@pytest.mark.parametrize("name", every_network(("v1", "v2")))
def test_nothing_is_left_that_plain_exporters_fail_on(name):
    network = plain(VariantCase(name, variant(name)).network(), SIZE)
    assert not any(isinstance(each, Fusion | DeformableConv) for each in network.modules())
    with torch.no_grad():
        program = torch.export.export(network, (torch.zeros(1, 3, *SIZE),))
    calls = [node for node in program.graph.nodes if node.op == "call_function"]
    kinds = {str(node.target) for node in calls if node.target is not operator.getitem}
    # Opaque operators; pools and expansions whose sizes are written down; maxima with places.
    forbidden = ("featherface.", "adaptive_", "expand", "aten.max.", "embedding_bag")
    assert not {kind for kind in kinds if kind.startswith(forbidden) or "adaptive" in kind}
    assert not {kind for kind in kinds if any(word in kind for word in forbidden)}


@pytest.mark.parametrize("size", [(65, 64), (0, 32), (640, 100)])
def test_a_size_that_is_no_multiple_of_32_is_refused(size):
    with pytest.raises(UsageError, match="multiples of 32"):
        plain(nn.Identity(), size)
