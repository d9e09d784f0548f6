"""A detector's losses as the papers write them: one face, one prior, one number at a time.

Everything is computed in the precision of what comes in; gradients flow as published. What is
matched is decided in plain Python floats.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

VARIANCES = (0.1, 0.2)
MISSING = "write the loop of train.loss.{key}={name} in tests/stand_ins/plain_losses.py"


class Raw(NamedTuple):
    """What a detector says of each prior."""

    boxes: torch.Tensor
    logits: torch.Tensor
    landmarks: torch.Tensor


def corners(prior):
    x, y, width, height = prior
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one, other):
    """Return the IoU of two boxes, corners."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / (sum(areas) - common)


def overlap_table(boxes, others):
    """Return the IoU (A, B) of BOXES (A, 4) with OTHERS (B, 4), corners, as tensors round it."""
    low = torch.maximum(boxes[:, None, :2], others[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = (high - low).clamp_min(0).prod(-1)
    areas = [(rows[:, 2:] - rows[:, :2]).prod(-1) for rows in (boxes, others)]
    return common / (areas[0][:, None] + areas[1][None] - common)


def official_matching(priors, faces, threshold):
    """Return (face, positive) of each of PRIORS, with the FACES (corners) of one picture.

    RetinaFace's `match`: a prior learns the face that it overlaps most if by THRESHOLD; each face
    takes its best prior if that overlaps it by 0.2 or more, a later face before an earlier one.
    """
    table = [[overlap(face, corners(prior)) for prior in priors] for face in faces]
    best_prior = [max(range(len(priors)), key=lambda p: row[p]) for row in table]
    best = [row[p] for row, p in zip(table, best_prior, strict=True)]
    if not any(value >= 0.2 for value in best):
        return [0] * len(priors), [False] * len(priors)
    face = [max(range(len(faces)), key=lambda g: table[g][p]) for p in range(len(priors))]
    positive = [table[face[p]][p] >= threshold for p in range(len(priors))]
    for number, prior in enumerate(best_prior):
        face[prior] = number
        positive[prior] = positive[prior] or best[number] >= 0.2
    return face, positive


def smooth_l1(predicted, wanted):
    """Return the sum over the numbers of a row."""
    apart = (predicted - predicted.new_tensor(wanted)).abs()
    return torch.where(apart < 1, apart**2 / 2, apart - 0.5).sum()


def box_deltas(box, prior, variances):
    x, y, width, height = prior
    return (
        ((box[0] + box[2]) / 2 - x) / (variances[0] * width),
        ((box[1] + box[3]) / 2 - y) / (variances[0] * height),
        math.log((box[2] - box[0]) / width) / variances[1],
        math.log((box[3] - box[1]) / height) / variances[1],
    )


def decoded(deltas, prior, variances):
    """Return the corners that DELTAS (a row of a tensor) make of PRIOR."""
    x, y, width, height = prior
    x, y = x + deltas[0] * variances[0] * width, y + deltas[1] * variances[0] * height
    width, height = (side * (deltas[i] * variances[1]).exp() for i, side in enumerate(prior[2:], 2))
    return corners((x, y, width, height))


def overlap_loss(name, box, wanted):
    """Return 1 - IoU with what DIoU, CIoU or EIoU add to it."""
    shared = overlap(box, wanted)
    hull = [max(box[i + 2], wanted[i + 2]) - min(box[i], wanted[i]) for i in (0, 1)]
    apart = sum(((box[i] + box[i + 2] - wanted[i] - wanted[i + 2]) / 2) ** 2 for i in (0, 1))
    loss = 1 - shared + apart / (hull[0] ** 2 + hull[1] ** 2)
    sides = [[b[i + 2] - b[i] for i in (0, 1)] for b in (box, wanted)]
    if name == "eiou":
        return loss + sum(((sides[0][i] - sides[1][i]) / hull[i]) ** 2 for i in (0, 1))
    if name == "ciou":
        angle = torch.atan(sides[0][0] / sides[0][1]) - math.atan(sides[1][0] / sides[1][1])
        differ = 4 / math.pi**2 * angle**2
        weight = differ.item() / (1 - shared.item() + differ.item() + 1e-7)
        return loss + weight * differ
    return loss


def box_loss(name, deltas, wanted, prior, variances):
    if name == "smooth-l1":
        return smooth_l1(deltas, box_deltas(wanted, prior, variances))
    if name in ("diou", "ciou", "eiou"):
        return overlap_loss(name, decoded(deltas, prior, variances), wanted)
    raise NotImplementedError(MISSING.format(key="box", name=name))


def landmark_loss(loss, deltas, points, prior, variances):
    x, y, width, height = prior
    wanted = [
        (value - (x, y)[i % 2]) / (variances[0] * (width, height)[i % 2])
        for i, value in enumerate(points)
    ]
    if loss.landmark == "smooth-l1":
        return smooth_l1(deltas, wanted)
    if loss.landmark != "wing":
        raise NotImplementedError(MISSING.format(key="landmark", name=loss.landmark))
    w, c = loss.wing_width, loss.wing_curvature
    error = 100 * variances[0] * (deltas - deltas.new_tensor(wanted)).abs()  # % of the prior's side
    beyond = error - (w - w * math.log(1 + w / c))
    return torch.where(error < w, w * torch.log(1 + error / c), beyond).sum() / w


def probability(logits):
    """Return that of a face, for each row (..., 2)."""
    return 1 / (1 + (logits[..., 0] - logits[..., 1]).exp())


def face_weight(loss, logits, box, side):
    """Return how much a face counts before the average of all is taken off."""
    pixels = side * math.sqrt((box[2] - box[0]) * (box[3] - box[1]))
    octaves = min(max(math.log2(256 / pixels) / math.log2(256 / 16), 0), 1)
    missed = 1 - probability(logits).item()
    return (1 + (loss.hard_weight - 1) * missed) * loss.small_weight**octaves


def class_losses(loss, logits, positive, quality, weights, negatives):
    """Return the sum over one picture's priors."""
    faces, entropies = probability(logits), {}
    positive = [p for p, value in enumerate(positive) if value]
    if loss.face == "cross-entropy":
        background = -(1 - faces).log()
        others = sorted(set(range(len(faces))) - set(positive), key=lambda p: -background[p].item())
        for p in others[: min(negatives * len(positive), len(faces) - 1)]:
            entropies[p] = background[p]
        entropies |= {p: -faces[p].log() for p in positive}
    elif loss.face == "focal":
        other = -(1 - loss.focal_alpha) * faces**loss.focal_gamma * (1 - faces).log()
        own = -loss.focal_alpha * (1 - faces) ** loss.focal_gamma * faces.log()
        entropies = {p: (own if quality.get(p, 0) > 0 else other)[p] for p in range(len(faces))}
    elif loss.face != "quality-focal":
        raise NotImplementedError(MISSING.format(key="face", name=loss.face))
    else:
        for p, face in enumerate(faces):
            wanted = quality.get(p, 0.0)
            entropy = -wanted * face.log() - (1 - wanted) * (1 - face).log()
            entropies[p] = abs(wanted - face) ** loss.focal_gamma * entropy
    return sum(value * weights.get(p, 1.0) for p, value in entropies.items())


def multibox(
    raw,
    priors,
    targets,
    loss,
    *,
    threshold=0.35,
    negatives=7,
    side=1,
    matched=None,
    variances=VARIANCES,
):
    """Return the box, face and landmark loss of a batch.

    MATCHED (face, positive) per picture stands in for the official matching.
    """
    rows = [tuple(prior) for prior in priors.tolist()]
    learnt, masks = [], []  # (picture, prior, face) each; which priors are positive
    for picture, mask in enumerate(targets.faces):
        boxes = targets.boxes[picture][mask].tolist()
        face, positive = matched[picture] if matched else official_matching(rows, boxes, threshold)
        masks.append(positive)
        learnt += [(picture, p, face[p]) for p in range(len(rows)) if positive[p]]
    count = max(len(learnt), 1)
    plain = {
        (b, p): face_weight(loss, raw.logits[b, p], targets.boxes[b, g].tolist(), side)
        for b, p, g in learnt
    }
    mean = sum(plain.values()) / count
    weights = {key: value / mean for key, value in plain.items()}
    box = landmark = face = 0.0 * raw.boxes.sum()
    quality, marked = {}, 0
    for b, p, g in learnt:
        wanted = targets.boxes[b, g].tolist()
        box = box + weights[b, p] * box_loss(loss.box, raw.boxes[b, p], wanted, rows[p], variances)
        quality[b, p] = 1.0
        if loss.face == "quality-focal":
            quality[b, p] = float(
                overlap(decoded(raw.boxes[b, p].detach(), rows[p], variances), wanted)
            )
        if targets.marked[b, g]:
            marked += 1
            points = targets.landmarks[b, g].tolist()
            value = landmark_loss(loss, raw.landmarks[b, p], points, rows[p], variances)
            landmark = landmark + weights[b, p] * value
    for b, positive in enumerate(masks):
        own = [{p: value for (c, p), value in of.items() if c == b} for of in (quality, weights)]
        face = face + class_losses(loss, raw.logits[b], positive, *own, negatives)
    return box / count, face / count, landmark / max(marked, 1)
