"""The building blocks, one module each, and the detector made of them."""

from featherface.networks.detector import Detector, RawOutput, build

__all__ = ["Detector", "RawOutput", "build"]
