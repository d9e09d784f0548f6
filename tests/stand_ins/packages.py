"""A package of a small network with loud answers, for tests that look into one."""

from experiments.deployment.package_writer import write_package
from experiments.deployment.packaged_network import PackagedNetwork
from featherface.validation.case import VariantCase
from featherface.variants.table import variant
from featherface.weights.checkpoints import save_weights
from featherface.weights.network_settings import VARIANT, settings_metadata

NETWORK = "v3-nano"
WEIGHTS, PACKAGE = "network.safetensors", "package"
MODEL = f"models/{NETWORK}.onnx"


def stirred():
    """Build the network; it finds many faces, wherever they are."""
    return VariantCase(NETWORK, variant(NETWORK)).stirred()


def write(folder):
    """Make FOLDER with the network's weights and its package."""
    folder.mkdir()
    model = stirred()
    metadata = {VARIANT: NETWORK, **settings_metadata(model.config)}
    save_weights(folder / WEIGHTS, model, metadata)
    network = PackagedNetwork(model, NETWORK, folder / WEIGHTS)
    write_package(network, folder / PACKAGE)


def files_of_run(folder):
    """Return what the record of a run holds that trained and exported that network."""
    return {
        "checkpoints/best.safetensors": (folder / WEIGHTS).read_bytes(),
        "exports/mine.onnx": (folder / PACKAGE / MODEL).read_bytes(),
    }


EXPORTED = {"path": "exports/mine.onnx", "format": "onnx", "parity": 1e-6}
"""What results.json says of the exported file of `files_of_run`."""
