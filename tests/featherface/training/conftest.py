import pytest
import torch

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split


@pytest.fixture(scope="session")
def small_split(tmp_path_factory):
    """Eight pictures of 64 pixels, with one to three faces each."""
    root = tmp_path_factory.mktemp("small") / "set"
    size = SyntheticConfig(image_size=64, train_images=8, val_images=1, largest_face=40, crowd=3)
    draw(root, size)
    return open_split(root, "train")


@pytest.fixture
def _double():
    """Compute in double precision, in which a fault can't hide behind rounding."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
