"""`thesis eval errors` and `eval gallery`, and what they refuse."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from experiments.recipe.resolve import resolve
from experiments.running import runner
from experiments.workspace.workspace import Workspace
from featherface.data.widerface import open_split
from featherface.evaluation.breakdown import GROUPINGS
from featherface.evaluation.predictions import write_prediction
from thesis_cli.commands.evaluation.errors import BY
from vault_sync.commands.sync import sync


@pytest.fixture(scope="module")
def seen(tmp_path_factory, small_set):
    """Detections that find all but the first face of each picture, and one that is false."""
    folder = tmp_path_factory.mktemp("seen")
    for image in open_split(small_set, "val").images:
        boxes = np.rint(np.hstack([image.boxes[:, :2], image.boxes[:, 2:] - image.boxes[:, :2]]))
        table = [(*box, 0.9) for box in boxes[1:]] + [(0.0, 0.0, 4.0, 4.0, 0.6)]
        write_prediction(folder, image.path, np.array(table, dtype=float))
    return folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory, small_set, seen):
    """Give a workspace in a language, with a sealed run that judged those detections."""
    made = {}

    def make(language):
        if language not in made:
            root = tmp_path_factory.mktemp("judged") / language
            made[language] = workspace = Workspace.create(root, language=language)
            workspace.vault.mkdir()
            changes = {"data.root": small_set, "data.ground_truth": small_set}
            changes["evaluate.predictions"] = seen
            values = [f"{key}={path.as_posix()}" for key, path in changes.items()]
            runner.run(workspace, resolve("v2", workspace, values), stages=("evaluate",))
        return made[language]

    return make


def test_groupings_are_those_of_the_core():
    assert BY == GROUPINGS


def test_errors_of_a_run(thesis, valid, judged):
    workspace = judged("en")
    data = valid(thesis("eval", "errors", "v2", "--by", "all", "--json", workspace=workspace))
    assert (data["name"], data["score"], data["images"]) == ("v2@1", 0.5, 4)
    assert list(data["breakdown"]) == list(BY)
    assert data["placement"]["iou_mean"] > 0.9
    answer = thesis("eval", "errors", "v2", "--score", 0.3, "--score", 0.95, workspace=workspace)
    assert answer.code == 0
    assert "recall at 0.3" in answer.out
    assert re.search(r"0\.95 +mean +0% +undefined", answer.out)


def test_errors_of_any_detector(thesis, valid, seen, small_set):
    given = ("--predictions", seen, "--ground-truth", small_set)
    data = valid(thesis("eval", "errors", *given, "--subset", "easy", "--json"))
    assert (data["subset"], data["protocol"]) == ("easy", None)
    assert list(data["breakdown"]) == ["height"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("errors",), "give a RUN"),
        (("errors", "v2", "--ground-truth", "x"), "give no folders with it"),
        (("errors", "--predictions", "x"), "give a RUN"),
        (("errors", "v2", "--score", "2"), "2.0 is not in the range"),
        (("gallery", "--to", "vault"), "--to vault needs a RUN"),
        (("gallery", "--predictions", "x", "--ground-truth", "y"), "needs --images"),
    ],
)
def test_half_a_question_is_told(thesis, arguments, message):
    answer = thesis("eval", *arguments)
    assert answer.code == 2
    assert message in answer.err


@pytest.mark.parametrize(("language", "title"), [("en", "gets wrong"), ("fr", "Les erreurs de")])
def test_a_page_holds_its_pictures(thesis, valid, judged, language, title):
    workspace = judged(language)
    answer = thesis("eval", "gallery", "v2", "--misses", 2, "--json", workspace=workspace)
    data = valid(answer)
    assert (len(data["misses"]), data["note"]) == (2, None)
    page = workspace.root / "galleries" / "v2@1.html"
    text = page.read_text(encoding="utf-8")
    assert data["page"] == page.as_posix()
    assert title in text
    assert f'<html lang="{language}">' in text
    shown = len(data["misses"]) + len(data["false_alarms"])
    assert text.count('src="data:image/jpeg;base64,') == shown == text.count("<figure>")
    assert not re.search(r"(?:src|href)=\"(?!data:)", text)
    assert "{" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_a_page_of_any_detector(thesis, valid, seen, small_set, tmp_path):
    images = small_set / "WIDER_val" / "images"
    given = ("--predictions", seen, "--ground-truth", small_set, "--images", images)
    page = tmp_path / "a page.html"
    valid(thesis("eval", "gallery", *given, "--output", page, "--language", "fr", "--json"))
    assert "fausses alarmes" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "words"), [("en", "are missed"), ("fr", "sont manqués")])
def test_a_note_is_kept_true_by_syncs(thesis, valid, judged, language, words):
    workspace = judged(language)
    ask = ("eval", "gallery", "v2", "--to", "vault", "--misses", 3, "--json")
    data = valid(thesis(*ask, workspace=workspace))
    note = workspace.vault / data["note"]
    text = note.read_text(encoding="utf-8")
    assert data["note"] == "05-Results/Galleries/v2@1.md"
    assert words in text
    assert "misses=3" in text
    pictures = [
        workspace.vault / "attachments" / f"v2@1-{name}.png" for name in ("misses", "alarms")
    ]
    assert all(picture.is_file() for picture in pictures)
    again = sync(workspace)
    assert data["note"] in again.unchanged
    assert again.written == []
    told = thesis(*ask, workspace=workspace)
    assert "was there already" in told.err
    assert note.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("subset=hrd", "did you mean 'hard'"),
        ("misses=many", "holds no number"),
        ("false=-1", "asks for -1 pictures"),
        ("", "needs one run"),
    ],
)
def test_a_marker_that_makes_no_sense_is_refused(judged, said, message):
    workspace = judged("en")
    note = workspace.vault / "Odd.md"
    runs = "runs=v2@1 " if said else ""
    begin = f"<!-- thesis:begin id=odd template=gallery {runs}{said} -->"
    note.write_text(f"{begin}\n\n<!-- thesis:end id=odd -->\n", encoding="utf-8")
    try:
        assert any(message in reason for reason in sync(workspace).reasons)
    finally:
        note.unlink()
        sync(workspace)


@pytest.fixture
def spoilt(tmp_path, seen):
    """Copy the detections, spoil one file as HOW says, and give the folder."""

    def make(how):
        folder = tmp_path / "spoilt"
        shutil.copytree(seen, folder)
        file = min(folder.rglob("*.txt"))
        lines = file.read_text(encoding="utf-8").splitlines()
        if how == "truncated":
            file.write_text("\n".join(lines[:-1]), encoding="utf-8")
        elif how == "renamed":
            file.rename(file.with_name("other.txt"))
        elif how == "missing event":
            shutil.rmtree(file.parent)
        elif how == "windows":
            file.write_bytes(("\r\n".join(lines) + "\r\n").encode())
        else:
            lines[2] = {
                "nan": "1 2 3 4 nan",
                "negative score": "1 2 3 4 -0.5",
                "no size": "1 2 0 4 0.9",
                "negative size": "1 2 -3 4 0.9",
                "unsorted": "1 2 3 4 0.01",
            }[how]
            file.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return folder

    return make


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", "cut short"),
        ("nan", "'nan' is no finite number"),
    ],
)
@pytest.mark.parametrize("verb", ["widerface", "errors"])
def test_broken_predictions_are_refused(thesis, small_set, spoilt, verb, how, message):
    answer = thesis("eval", verb, "--predictions", spoilt(how), "--ground-truth", small_set)
    assert answer.code == 4
    assert message in answer.err


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("renamed", "name another picture in their first line"),
        ("missing event", "without predictions, left out: "),
        ("negative score", "with a negative score: 1"),
        ("no size", "without width or height: 1"),
        ("negative size", "with a negative width or height: 1"),
        ("unsorted", "not sorted by score"),
    ],
)
def test_odd_predictions_are_counted(thesis, valid, small_set, spoilt, how, message):
    given = ("--predictions", spoilt(how), "--ground-truth", small_set, "--json")
    answer = thesis("eval", "widerface", *given)
    data = valid(answer)
    assert any(message in one for one in answer.json["warnings"])
    assert data["complete"] == (how not in ("renamed", "missing event"))


def test_windows_line_ends_change_nothing(thesis, valid, small_set, seen, spoilt):
    answers = [
        valid(
            thesis(
                "eval", "widerface", "--predictions", folder, "--ground-truth", small_set, "--json"
            )
        )
        for folder in (seen, spoilt("windows"))
    ]
    assert answers[0] == answers[1]


def test_a_wrong_ground_truth_folder_is_told(thesis, seen, tmp_path):
    answer = thesis("eval", "widerface", "--predictions", seen, "--ground-truth", tmp_path)
    assert answer.code == 4
    assert "no ground truth in" in answer.err
