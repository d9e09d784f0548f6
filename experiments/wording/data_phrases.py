"""What plots of a data set say, in English and French."""

from __future__ import annotations

DATA: dict[str, tuple[str, str]] = {
    "data-heights": (
        "Height of the faces, and about where subsets begin",
        "Hauteur des visages, et début approximatif des sous-ensembles",
    ),
    "data-height-axis": ("height, pixels (log scale)", "hauteur, pixels (échelle logarithmique)"),
    "data-faces-axis": ("faces", "visages"),
    "data-crowds": ("Faces per picture", "Visages par image"),
    "data-crowd-axis": ("faces in the picture", "visages dans l'image"),
    "data-pictures-axis": ("pictures", "images"),
    "data-attributes": ("Attributes of the faces", "Attributs des visages"),
    "data-share-axis": ("share of the faces", "part des visages"),
    "data-on": (
        "{kind}, split {split}: {images} pictures, {faces} faces",
        "{kind}, partition {split} : {images} images, {faces} visages",
    ),
    "data-kind-widerface": ("WIDER FACE", "WIDER FACE"),
    "data-kind-synthetic": (
        "Synthetic images, not WIDER FACE",
        "Images synthétiques, et non WIDER FACE",
    ),
    "data-kind-custom": ("Other data", "Autres données"),
    "data-blur": ("blur", "flou"),
    "data-blur-0": ("none", "aucun"),
    "data-blur-1": ("normal", "normal"),
    "data-blur-2": ("heavy", "fort"),
    "data-expression": ("expression", "expression"),
    "data-expression-0": ("typical", "habituelle"),
    "data-expression-1": ("exaggerated", "exagérée"),
    "data-illumination": ("illumination", "éclairage"),
    "data-illumination-0": ("normal", "normal"),
    "data-illumination-1": ("extreme", "extrême"),
    "data-invalid": ("invalid", "non valable"),
    "data-invalid-0": ("no", "non"),
    "data-invalid-1": ("yes", "oui"),
    "data-occlusion": ("occlusion", "occultation"),
    "data-occlusion-0": ("none", "aucune"),
    "data-occlusion-1": ("partial", "partielle"),
    "data-occlusion-2": ("heavy", "forte"),
    "data-pose": ("pose", "pose"),
    "data-pose-0": ("typical", "habituelle"),
    "data-pose-1": ("atypical", "inhabituelle"),
    "data-unknown": ("not known", "inconnu"),
}
"""Code -> sentence; `data-<attribute>-<code>` words WIDER FACE's codes."""
