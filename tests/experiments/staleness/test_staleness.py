"""A number is stale when what it follows from has changed, and only then; it is told what."""

import dataclasses
import json

import pytest

from experiments.metrics import KINDS
from experiments.recipe.resolve import resolve
from experiments.records.record import Parent, Stage
from experiments.records.run import RECIPE, Run
from experiments.records.seal import seal, sha256
from experiments.records.store import Store
from experiments.running.inputs import describe_truth
from experiments.staleness import source_digest
from experiments.staleness.changes import changes, content_digest
from experiments.staleness.families import FAMILIES, families
from experiments.workspace.workspace import Workspace
from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.evaluation.ground_truth import read_ground_truth

AP = "widerface.hard.ap"
PARAMETERS = "params.total"


def own(workspace, name, text):
    (workspace.recipes / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def made(workspace, make_run):
    """Write a record as the runner would: of a recipe, by today's code."""

    def make(name="mine", *, overrides=(), trained=True, parents=(), data=None):
        run = make_run(workspace, name, n=4, parents=parents)
        resolved = resolve(name, workspace, overrides)
        (run.folder / RECIPE).write_text(resolved.to_yaml(), encoding="utf-8")
        source_digest.write_code(run.folder)
        if data is not None:
            (run.folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
        stages = dict(run.record.stages)
        stages["train"] = Stage(status="done" if trained else "skipped")
        record = dataclasses.replace(
            run.record,
            recipe=resolved.recipe.digest,
            recipe_name=name,
            overrides=resolved.overrides,
            code=source_digest.code_digest(),
            stages=stages,
        )
        return resealed(run, record)

    return make


def resealed(run, record=None):
    if record is not None:
        record.write(run.folder)
    seal(run.folder)
    return Run(run.folder)


def sentences(workspace, run, metric=AP, language="en"):
    return [
        change.text(language) for change in changes(run, Store(workspace), families(run, metric))
    ]


def test_nothing_has_changed(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    assert sentences(workspace, made()) == []


def test_the_recipe_changed_and_where(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\ntrain: {epochs: 5}\n")
    run = made()
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\ntrain: {epochs: 9}\n")
    assert sentences(workspace, run) == ["mine@1: the recipe changed since (train.epochs: 5 → 9)"]
    assert sentences(workspace, run, language="fr") == [
        "mine@1\u202f: la recette a changé depuis (train.epochs: 5 → 9)"
    ]
    assert sentences(workspace, run, PARAMETERS) == []


@pytest.mark.parametrize(
    ("change", "of_accuracy", "of_parameters"),
    [
        ("title: other", False, False),
        ("hypothesis: other", False, False),
        ("train: {workers: 3, log_every: 1}", False, False),
        ("evaluate: {batch_size: 1}", False, False),
        ("benchmark: {runs: 3}", False, False),
        ("export: {formats: []}", False, False),
        ("seed: 9", True, False),
        ("evaluate: {score_threshold: 0.5}", True, False),
        ("data: {synthetic: {seed: 7}}", True, False),
        ("model: {variant: v2, channels: 64}", True, True),
        ("model: {variant: v2, prior_sizes: [[16, 36], [64, 128], [256, 512]]}", True, True),
        ("model: {variant: v2, pixel_mean: [100, 117, 123]}", True, False),
        ("model: {variant: v2, prior_probability: 0.05}", True, False),
    ],
)
def test_each_number_goes_stale_by_what_decides_it(
    workspace, made, change, of_accuracy, of_parameters
):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    run = made()
    text = "extends: smoke\n" + ("" if "model:" in change else "model: {variant: v2}\n") + change
    own(workspace, "mine", text)
    assert bool(sentences(workspace, run)) is of_accuracy
    assert bool(sentences(workspace, run, PARAMETERS)) is of_parameters


@pytest.mark.parametrize(
    ("sizes", "stale"),
    [("[[16, 36], [64, 128], [256, 512]]", False), ("[[16], [64], [256]]", True)],
)
def test_priors_decide_the_speed_by_their_number(workspace, made, sizes, stale):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    run = made()
    own(workspace, "mine", f"extends: smoke\nmodel: {{variant: v2, prior_sizes: {sizes}}}\n")
    assert bool(sentences(workspace, run, "latency.cpu.median_ms")) is stale


def test_what_only_training_uses_is_nothing_to_a_run_that_evaluated(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    run = made(trained=False)
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2, dropblock: 0.1}\n")
    assert sentences(workspace, run) == []


def test_a_synthetic_set_with_another_configuration_is_other_data(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    run = made()
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\ndata: {synthetic: {crowd: 9}}\n")
    (text,) = sentences(workspace, run)
    assert text.startswith("mine@1: the data changed since (data.synthetic.crowd: ")


def test_a_recipe_that_is_gone_has_not_changed(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    run = made()
    (workspace.recipes / "mine.yaml").unlink()
    assert sentences(workspace, run) == []


def test_the_annotation_and_the_ground_truth_are_data(workspace, made, tmp_path):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    annotation, truth = tmp_path / "label.txt", tmp_path / "wider_hard_val.mat"
    for file in (annotation, truth):
        file.write_text("before", encoding="utf-8")
    about = {"annotation_file": annotation.as_posix(), "annotation_sha256": sha256(annotation)}
    about["ground_truth"] = {truth.as_posix(): sha256(truth)}
    run = made(data={"val": about})
    assert sentences(workspace, run) == []
    truth.write_text("after", encoding="utf-8")
    assert sentences(workspace, run) == ["mine@1: the data changed since (wider_hard_val.mat)"]
    annotation.write_text("after", encoding="utf-8")
    (text,) = sentences(workspace, run)
    assert text.endswith("(label.txt, wider_hard_val.mat)")
    assert sentences(workspace, run, PARAMETERS) == []
    for file in (annotation, truth):
        file.unlink()
    assert sentences(workspace, run) == []


def test_a_file_of_weights_that_was_changed(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2, weights: start.pth}\n")
    file = workspace.root / "start.pth"
    file.write_bytes(b"before")
    run = made()
    parent = Parent(role="weights", path="start.pth", sha256=content_digest(file))
    run = resealed(run, dataclasses.replace(run.record, parents=(parent,)))
    assert sentences(workspace, run) == []
    file.write_bytes(b"after")
    assert sentences(workspace, run) == ["mine@1: what it was made from changed since (start.pth)"]
    assert sentences(workspace, run, PARAMETERS) == []


def test_a_folder_of_predictions_that_was_changed(workspace, made):
    folder = workspace.root / "found"
    folder.mkdir()
    (folder / "one.txt").write_text("1", encoding="utf-8")
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\nevaluate: {predictions: found}\n")
    run = made(trained=False)
    parent = Parent(role="predictions", path="found", sha256=content_digest(folder))
    run = resealed(run, dataclasses.replace(run.record, parents=(parent,)))
    assert sentences(workspace, run) == []
    (folder / "two.txt").write_text("2", encoding="utf-8")
    assert sentences(workspace, run) == ["mine@1: what it was made from changed since (found)"]


def test_a_stale_teacher_makes_its_student_stale(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    own(workspace, "taught", "extends: smoke\nmodel: {variant: v2}\ndistill: {teacher: mine}\n")
    teacher = made()
    student = made("taught", parents=[teacher])
    assert sentences(workspace, student) == []
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\ntrain: {lr: 0.5}\n")
    first, second = sentences(workspace, student)
    assert first.startswith("mine@1: the recipe changed since (train.lr: ")
    assert second == "taught@1 was made from mine@1, its teacher, so it is stale too"
    assert sentences(workspace, student, language="fr")[1] == (
        "taught@1 provient de mine@1, son enseignant, et n'est donc plus à jour non plus"
    )
    assert sentences(workspace, student, PARAMETERS) == []


def test_a_teacher_whose_evaluation_changed_taught_the_same(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    own(workspace, "taught", "extends: smoke\nmodel: {variant: v2}\ndistill: {teacher: mine}\n")
    student = made("taught", parents=[made()])
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\nevaluate: {nms_threshold: 0.3}\n")
    assert sentences(workspace, student) == []


def test_another_record_in_the_teachers_place(workspace, made):
    own(workspace, "mine", "extends: smoke\nmodel: {variant: v2}\n")
    teacher = made()
    student = made(parents=[teacher])
    resealed(teacher, dataclasses.replace(teacher.record, title="another one"))
    assert sentences(workspace, student) == ["mine@2: what it was made from changed since (mine@1)"]


def test_a_record_keeps_what_its_ground_truth_was_read_from(tmp_path):
    draw(tmp_path / "set", SyntheticConfig(image_size=96, train_images=1, val_images=1))
    elsewhere = Workspace.create(tmp_path / "thesis")
    lists = describe_truth(read_ground_truth(tmp_path / "set"), elsewhere)
    assert len(lists) == 4
    text = next((tmp_path / "set").rglob("wider_face_val_bbx_gt.txt"))
    truth = read_ground_truth(text)
    assert describe_truth(truth, elsewhere) == {text.resolve().as_posix(): sha256(text)}
    around = Workspace.create(tmp_path)
    assert describe_truth(truth, around) == {text.relative_to(tmp_path).as_posix(): sha256(text)}


def test_a_moved_workspace_changes_nothing_and_hides_nothing(workspace, made, tmp_path):
    (workspace.root / "data").mkdir()
    file = workspace.root / "data" / "label.txt"
    file.write_text("before", encoding="utf-8")
    own(workspace, "mine", f"extends: smoke\ndata:\n  labels: '{file}'\n")
    about = {"annotation_file": "data/label.txt", "annotation_sha256": sha256(file)}
    made(data={"train": about, "val": about})
    older = made("mine", data={"train": about, "val": about})
    text = (older.folder / RECIPE).read_text(encoding="utf-8")
    assert "labels: data/label.txt" in text
    # As an earlier version wrote it.
    text = text.replace("labels: data/label.txt", f'labels: "{file.as_posix()}"')
    (older.folder / RECIPE).write_text(text, encoding="utf-8")
    older = resealed(
        older, dataclasses.replace(older.record, recipe=older.resolved().recipe.digest)
    )

    moved = Workspace.open(workspace.root.rename(tmp_path / "elsewhere"))
    file = moved.root / "data" / "label.txt"
    own(moved, "mine", f"extends: smoke\ndata:\n  labels: '{file}'\n")
    runs = Store(moved).runs("mine")
    assert [sentences(moved, one) for one in runs] == [[], []]
    file.write_text("after", encoding="utf-8")
    for one in runs:
        assert sentences(moved, one) == [f"{one.id}: the data changed since (label.txt)"]


def test_a_folder_is_known_by_names_and_contents(tmp_path):
    (tmp_path / "one.txt").write_text("1", encoding="utf-8")
    before = content_digest(tmp_path)
    (tmp_path / "one.txt").write_text("2", encoding="utf-8")
    changed = content_digest(tmp_path)
    (tmp_path / "one.txt").rename(tmp_path / "two.txt")
    assert len({before, changed, content_digest(tmp_path)}) == 3


def test_every_metric_has_a_family():
    assert all(name.startswith(tuple(FAMILIES)) for name in KINDS)


def test_comments_docstrings_and_blank_lines_decide_nothing():
    code = b'"""What."""\n\nx = 1  # why\n\n\ndef f():\n    """Say."""\n    return "# no comment"\n'
    other = b'x = 1\ndef f():\n    return "# no comment"\n'
    assert source_digest.bare_digest(code) == source_digest.bare_digest(other)
    assert source_digest.bare_digest(code) != source_digest.bare_digest(other.replace(b"1", b"2"))
    assert source_digest.bare_digest(code) != source_digest.bare_digest(
        other.replace(b"# no", b"# any")
    )
    assert source_digest.bare_digest(b"def (") != source_digest.bare_digest(b"def [")


def test_a_record_keeps_every_file_of_the_core(tmp_path):
    source_digest.write_code(tmp_path)
    kept = source_digest.read_code(tmp_path)
    assert "networks/detector.py" in kept
    assert source_digest.changed_files(kept) == []
    assert source_digest.changed_files({**kept, "gone.py": ("a", "b")}) == ["gone.py"]
    _, bare = kept["geometry/boxes.py"]
    assert source_digest.changed_files({**kept, "geometry/boxes.py": ("other", bare)}) == []
    kept.pop("geometry/boxes.py")
    assert source_digest.changed_files(kept) == ["geometry/boxes.py"]
    assert source_digest.read_code(tmp_path / "nowhere") == {}
