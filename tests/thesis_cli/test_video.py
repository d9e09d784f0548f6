"""`thesis detect` of videos and cameras."""

from __future__ import annotations

import json
import sys

import jsonschema
import numpy as np
import pytest
from PIL import Image

from featherface.video import camera
from thesis_cli.schemas import schemas

videos = pytest.importorskip("stand_ins.videos", reason="PyAV is not installed")
av = pytest.importorskip("av", reason="PyAV is not installed")


@pytest.fixture(scope="session")
def film(small_set, tmp_path_factory):
    """A walk past drawn faces: twelve frames at ten a second, with sound and a title."""
    paths = sorted((small_set / "WIDER_val" / "images").rglob("*.jpg"))[:2]
    wide = np.concatenate([np.asarray(Image.open(path).convert("RGB")) for path in paths], axis=1)
    frames = [np.ascontiguousarray(wide[:64, 4 * n : 4 * n + 64]) for n in range(12)]
    path = tmp_path_factory.mktemp("film") / "walk.mp4"
    return videos.write(path, frames, sound=True, title="Ann's garden")


@pytest.fixture
def look(thesis, weights):
    def call(*arguments):
        return thesis("detect", "--variant", "v2", "--weights", weights, "--score", 0, *arguments)

    return call


def decoded(path):
    with av.open(str(path)) as container:
        assert len(container.streams.audio) == 0
        assert b"Ann" not in path.read_bytes()
        return [
            (frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]


def test_every_frame_becomes_a_line_and_the_answer_counts_them(look, valid, film, tmp_path):
    lines = tmp_path / "walk.jsonl"
    (row,) = valid(look(film, "--save", lines, "--json"))
    assert (row["frames"], row["looked_at"], row["complete"]) == (12, 12, True)
    entries = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    schema = schemas()["detect"]
    frame = jsonschema.Draft202012Validator({**schema, **schema["$defs"]["frame"]})
    for entry in entries:
        frame.validate(entry)
    assert [entry["frame"] for entry in entries] == list(range(12))
    assert np.allclose([entry["seconds"] for entry in entries], np.arange(12) / 10)
    assert sum(len(entry["faces"]) for entry in entries) == row["faces"] > 0


def test_a_drawn_video_holds_the_frames_looked_at_at_their_times(look, valid, film, tmp_path):
    (row,) = valid(look(film, "--output", tmp_path, "--every", 3, "--json"))
    assert row["looked_at"] == 4
    frames = decoded(tmp_path / "walk-faces.mp4")
    assert np.allclose([time for time, _ in frames], [0, 0.3, 0.6, 0.9])
    (row,) = valid(look(film, "--output", tmp_path, "--fps", 2, "--json"))
    assert row["looked_at"] == 3


def test_a_blurred_video_covers_faces_and_loses_sound_and_title(look, valid, film, tmp_path):
    before = film.read_bytes()
    (row,) = valid(look(film, "--output", tmp_path, "--blur", "fill", "--frames", 6, "--json"))
    assert row["drawing"] is None
    frames = decoded(tmp_path / "walk-blurred.mp4")
    assert len(frames) == 6
    assert all((abs(pixels.astype(int) - 127) < 12).mean() > 0.5 for _, pixels in frames)
    assert film.read_bytes() == before


def test_a_video_without_a_face_is_told_and_kept_only_when_asked(look, valid, film, tmp_path):
    options = ("--score", 0.999, "--blur-score", 0.99, "--blur", "--output", tmp_path, "--json")
    skipped = look(film, *options)
    assert valid(skipped)[0]["blurred"] is None
    assert any("nothing was found to blur" in text for text in skipped.json["warnings"])
    assert list(tmp_path.glob("*.mp4")) == []
    valid(look(film, *options, "--faceless", "copy"))
    assert len(decoded(tmp_path / "walk-blurred.mp4")) == 12


def test_a_video_cut_short_is_told_and_what_was_read_is_kept(look, valid, tmp_path):
    path = videos.write(tmp_path / "a.mkv", videos.frames(40))
    videos.cut(path, 0.5)
    answer = look(path, "--every", 5, "--save", tmp_path / "a.jsonl", "--json")
    (row,) = valid(answer)
    assert answer.code == 4
    assert not row["complete"]
    assert any("s it announces" in text for text in answer.json["warnings"])
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == row["looked_at"] > 0


def test_damaged_and_large_videos_do_not_stop_the_others(look, valid, film, tmp_path):
    (tmp_path / "bad.mp4").write_text("no video", encoding="utf-8")
    large = videos.write(tmp_path / "large.mp4", videos.frames(2, 800, 1280))
    answer = look(tmp_path / "bad.mp4", large, film, "--max-megapixels", 1, "--frames", 2, "--json")
    assert answer.code == 4
    (row,) = valid(answer)
    assert row["video"].endswith("walk.mp4")
    assert "bad.mp4" in answer.json["warnings"][0]
    assert "--max-megapixels 2" in answer.json["warnings"][1]


def test_a_camera_is_looked_through(look, valid, tmp_path, monkeypatch):
    system = camera.CameraSystem("lavfi", "testsrc=size=96x64:rate=10", "{}", {})
    monkeypatch.setitem(camera.SYSTEMS, sys.platform, system)
    options = ("--frames", 3, "--output", tmp_path, "--save", tmp_path / "a.jsonl", "--json")
    (row,) = valid(look("--camera", 0, *options))
    assert (row["video"], row["looked_at"], row["complete"]) == ("camera 0", 3, True)
    assert len(decoded(tmp_path / "camera-0-faces.mp4")) == 3


def test_a_missing_camera_is_answered_in_a_sentence(look):
    answer = look("--camera", "/nowhere/video7")
    assert answer.code == 4
    assert "can't open camera /nowhere/video7" in answer.err


def test_without_the_library_the_command_that_installs_it_is_told(look, film, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    answer = look(film)
    assert answer.code == 4
    assert 'pip install "thesis[video]"' in answer.err


def test_an_original_is_never_written_over(look, film, tmp_path):
    path = tmp_path / "walk.mp4"
    path.write_bytes(film.read_bytes())
    (tmp_path / "walk-faces.mp4").hardlink_to(path)
    answer = look(path, "--output", tmp_path)
    assert answer.code == 2
    assert "is one of the files to look at" in answer.err
    assert path.read_bytes() == film.read_bytes()


def test_what_does_not_belong_together_is_refused(look, film, small_set):
    picture = next(small_set.rglob("*.jpg"))
    for arguments, said in (
        ((), "--camera 0"),
        ((film, picture), "is a video, and"),
        ((film, "--camera", 0), "exclude each other"),
        ((picture, "--every", 2), "--every is of videos"),
        ((film, "--save", "a.json", "--format", "coco"), "leave --format out"),
    ):
        answer = look(*arguments)
        assert answer.code == 2
        assert said in answer.err
