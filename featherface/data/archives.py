"""The official WIDER FACE archives: addresses, contents and checksums.

Sizes and SHA-256 of the files that its authors serve. The pictures come from the authors' own
copy on Hugging Face, as the Google Drive that their page names can't be fetched by a program.
"""

from __future__ import annotations

from dataclasses import dataclass

PICTURES = "https://huggingface.co/datasets/CUHK-CSE/wider_face/resolve/main/data"
SITE = "http://shuoyang1213.me/WIDERFACE/support"
HOME = "http://shuoyang1213.me/WIDERFACE/"


@dataclass(frozen=True)
class Archive:
    """One file to fetch and unpack."""

    name: str
    url: str
    size: int
    """Bytes."""
    sha256: str
    holds: str
    """What it is for, in words."""


ARCHIVES: dict[str, Archive] = {
    "annotations": Archive(
        "wider_face_split.zip",
        f"{SITE}/bbx_annotation/wider_face_split.zip",
        3_591_642,
        "c7561e4f5e7a118c249e0a5c5c902b0de90bbf120d7da9fa28d99041f68a8a5c",
        "the annotations of train and val",
    ),
    "ground-truth": Archive(
        "eval_tools.zip",
        f"{SITE}/eval_script/eval_tools.zip",
        8_447_003,
        "1cf49c8243fa8a1632efe7f6aa09fd7a3994ac838c9008bdbc9dd1d547bb234a",
        "the easy, medium and hard lists, and published curves",
    ),
    "val": Archive(
        "WIDER_val.zip",
        f"{PICTURES}/WIDER_val.zip",
        362_752_168,
        "f9efbd09f28c5d2d884be8c0eaef3967158c866a593fc36ab0413e4b2a58a17a",
        "the 3,226 pictures of val",
    ),
    "train": Archive(
        "WIDER_train.zip",
        f"{PICTURES}/WIDER_train.zip",
        1_465_602_149,
        "e23b76129c825cafae8be944f65310b2e1ba1c76885afe732f179c41e5ed6d59",
        "the 12,880 pictures of train",
    ),
}
"""Part of `thesis data download` -> its archive, the small ones first."""
