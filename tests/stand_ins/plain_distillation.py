"""What a student is taught, as loops over priors and maps, for `plain_training`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from stand_ins.plain_losses import Raw, smooth_l1
from torch.nn import functional

PAIRS = ((0, 1), (1, 0), (1, 2), (2, 1))
"""(student's level, teacher's level), the order of the adapters across levels."""


def softened(logits, temperature):
    """Return the softened probabilities of each row of LOGITS (P, 2)."""
    powers = (logits / temperature).exp()
    return powers / powers.sum(-1, keepdim=True)


def compared(student, teacher, lesson, negatives):
    """Return the soft, box and landmark distance of two raw outputs, picture by picture."""
    soft = box = landmark = sum(0.0 * part.sum() for part in student)
    counts, confident = 0, 0
    for b, logits in enumerate(student.logits):
        t, s = (softened(rows, lesson.temperature) for rows in (teacher.logits[b], logits))
        divergence = (t * (t / s).log()).sum(-1)  # (P,)
        score = softened(teacher.logits[b], 1)[:, 1].tolist()
        sure = [p for p, value in enumerate(score) if value >= lesson.confidence]
        others = sorted(set(range(len(score))) - set(sure), key=lambda p: -divergence[p].item())
        count = max(len(sure), 1)
        most = min(negatives * count, len(score) - 1)
        counts, confident = counts + count, confident + len(sure)
        soft = soft + sum(divergence[p] for p in [*sure, *others[:most]])
        for p in sure:
            box = box + smooth_l1(student.boxes[b, p], teacher.boxes[b, p].tolist())
            points = teacher.landmarks[b, p].tolist()
            landmark = landmark + smooth_l1(student.landmarks[b, p], points)
    soft = soft * lesson.temperature**2 / counts
    return {
        "soft": soft,
        "box": box / max(confident, 1),
        "landmark": landmark / max(confident, 1),
    }


def fitted(maps, like):
    """Return MAPS in the size of LIKE: the mean of 2 x 2, or each number four times."""
    if maps.shape[-1] > like.shape[-1]:
        b, c, h, w = maps.shape
        return maps.reshape(b, c, h // 2, 2, w // 2, 2).mean((3, 5))
    return maps.repeat_interleave(2, 2).repeat_interleave(2, 3)


def missed(student, teacher):
    return ((student - teacher) ** 2).mean() / max(float((teacher**2).mean()), 1e-3)


def strong(maps):
    """Return where MAPS are strong, a row of length 1 for each picture."""
    rows = (maps**2).mean(1).flatten(1)
    return rows / rows.norm(dim=1, keepdim=True)


def maps_compared(student, teacher, lesson, same, across):
    """Return the distances of three maps each; SAME and ACROSS are the adapters' tensors."""
    parts = {}
    if lesson.feature_weight:
        pairs = zip(student, teacher, same, strict=True)
        parts["feature"] = sum(missed(functional.conv2d(s, *a), t) for s, t, a in pairs) / 3
    if lesson.attention_weight:
        rows = zip(student, teacher, strict=True)
        parts["attention"] = sum(((strong(s) - strong(t)) ** 2).sum(1).mean() for s, t in rows) / 3
    if lesson.cross_scale_weight:
        parts["cross_scale"] = (
            sum(
                missed(functional.conv2d(student[s], *a), fitted(teacher[t], student[s]))
                for (s, t), a in zip(PAIRS, across, strict=True)
            )
            / 4
        )
    return parts


def halved(output, confidence):
    """Return OUTPUT as it is kept on the disk: in halves, boxes where there may be a face."""
    face = (output.logits[..., 1].float() - output.logits[..., 0].float()).half()
    kept = (face.float().sigmoid() >= confidence - 0.01)[..., None]
    boxes, landmarks = (
        torch.where(kept, part.float().half().to(part.dtype), 0.0)
        for part in (output.boxes, output.landmarks)
    )
    logits = torch.stack((torch.zeros_like(face), face), -1).to(output.logits.dtype)
    return Raw(boxes, logits, landmarks)


@dataclass
class PlainDistillation:
    """An objective of `PlainTraining`: what CONFIG's teachers, average and past add to it."""

    config: Any
    teachers: list
    seed: int = 0
    own: Any = None
    """A `PlainAverage` of the student; it is one of the training's averages."""
    cached: bool = False
    """Whether teachers are read from halves."""
    beside: dict = field(default_factory=dict)
    past: dict = field(default_factory=dict)
    """Averages of earlier epochs by picture, and those of the present one."""
    present: dict = field(default_factory=dict)
    epoch: int = 0

    def __post_init__(self):
        """Draw the adapters as a training of this seed does: level by level, then across."""
        self.adapters = []
        torch.manual_seed(self.seed)
        for number, teacher in enumerate(self.teachers):
            counts = (
                3 if self.config.uses("feature_weight") else 0,
                4 if self.config.uses("cross_scale_weight") else 0,
            )
            width = teacher.config.channels
            made = [[torch.nn.Conv2d(4, width, 1) for _ in range(count)] for count in counts]
            pairs = [[(one.weight, one.bias) for one in group] for group in made]
            self.adapters.append(pairs)
            tensors = [value for group in pairs for pair in group for value in pair]
            self.beside |= {f"{number}.{n}": value for n, value in enumerate(tensors)}
        if self.config.learn_shares:
            self.doubts = torch.zeros(len(self.teachers), requires_grad=True)
            self.beside["doubts"] = self.doubts

    def __call__(self, training, images, batch, truth, output):
        lesson = self.lesson(training)
        total, parts = truth, {}
        if self.teachers:
            taught, parts = self._teachers(training, images, output, lesson)
            total = (1 - lesson.alpha) * truth + lesson.alpha * taught
        for name, shown, weight in (
            ("self", self._own(images), lesson.self_weight),
            ("temporal", self._past(output, batch.names, training), lesson.temporal_weight),
        ):
            if shown is not None and weight:
                found = compared(output, shown, lesson, training.config.negatives)
                total = total + weight * weighed(found, lesson)
                parts |= {f"{name}_{key}": value for key, value in found.items()}
        return total, parts

    def lesson(self, training):
        """Return what holds in the training's epoch: the phase that its middle lies in."""
        for phase in self.config.phases:
            if (training.epoch + 0.5) / training.config.epochs < phase.until:
                values = {**vars(self.config), **phase.changes(), "phases": ()}
                return type(self.config)(**values)
        return self.config

    def _teachers(self, training, images, output, lesson):
        losses, table = [], []
        for teacher, adapters in zip(self.teachers, self.adapters, strict=True):
            with torch.no_grad():
                shown, maps = teacher(images), teacher.features(images)
            if self.cached:
                shown = halved(shown, lesson.confidence)
            found = compared(output, shown, lesson, training.config.negatives)
            found |= maps_compared(training.maps, maps, lesson, *adapters)
            losses.append(weighed(found, lesson))
            table.append(found)
        count = len(losses)
        if self.config.learn_shares:
            shares = [(-doubt).exp() / count for doubt in self.doubts]
            total = sum(s * loss for s, loss in zip(shares, losses, strict=True))
            total = total + self.doubts.sum() / count
        else:
            given = self.config.teacher_shares or (1,) * count
            shares = [one / sum(given) for one in given]
            total = sum(s * loss for s, loss in zip(shares, losses, strict=True))
        shares = [float(torch.as_tensor(share).detach()) for share in shares]
        shares = [share / sum(shares) for share in shares]
        means = {
            f"teacher_{key}": sum(s * found[key] for s, found in zip(shares, table, strict=True))
            for key in table[0]
        }
        if self.config.learn_shares:
            means |= {f"teacher_share_{n}": torch.tensor(s) for n, s in enumerate(shares, 1)}
        return total, means

    def _own(self, images):
        if self.own is None:
            return None
        with torch.no_grad():
            return self.own.model(images)

    def _past(self, output, names, training):
        """Return the averages of earlier epochs, and let OUTPUT join those of this one."""
        if not self.config.uses("temporal_weight"):
            return None
        if training.epoch != self.epoch:
            self.past, self.epoch = {**self.past, **self.present}, training.epoch
        rows = []
        decay, confidence = self.config.temporal_decay, self.config.confidence
        for b, name in enumerate(names):
            now = Raw(*(part[b : b + 1].detach() for part in output))
            old, known = self.past.get(name, (now, None))
            rows.append(old)
            face = now.logits - now.logits[..., :1]
            if known is not None:
                face = decay * old.logits + (1 - decay) * face
            boxes, landmarks = (
                new
                if known is None
                else torch.where(known[..., None], decay * one + (1 - decay) * new, new)
                for one, new in zip(
                    (old.boxes, old.landmarks), (now.boxes, now.landmarks), strict=True
                )
            )
            kept = halved(Raw(boxes, face, landmarks), confidence)
            places = kept.logits[..., 1].float().sigmoid() >= confidence - 0.01
            self.present[name] = kept, places
        return Raw(*map(torch.cat, zip(*rows, strict=True)))


def weighed(parts, lesson):
    return sum(getattr(lesson, f"{name}_weight") * value for name, value in parts.items())
