from __future__ import annotations

import socket
import sys

import numpy as np
import pytest

from featherface.errors import DataError, UnavailableError
from featherface.video import camera
from featherface.video.frames import Sampling, open_video
from featherface.video.library import pyav

videos = pytest.importorskip("stand_ins.videos", reason="PyAV is not installed")
writing = pytest.importorskip("featherface.video.writing")

ALL = Sampling()


def read(path, sampling=ALL):
    with open_video(path) as source:
        return list(source.frames(sampling)), source


def test_frames_keep_their_own_times_written_and_read(tmp_path):
    times = [0.0, 0.1, 0.5, 1.3, 1.35]
    with writing.VideoWriter(tmp_path / "a.mp4", 10) as writer:
        for frame, time in zip(videos.frames(5), times, strict=True):
            writer.add(frame, time)
    frames, source = read(tmp_path / "a.mp4")
    assert np.allclose([frame.seconds for frame in frames], times, atol=1e-4)
    assert [frame.number for frame in frames] == list(range(5))
    assert source.faults == []


def test_frames_are_blue_green_red_and_upright(tmp_path):
    path = videos.write(tmp_path / "a.mp4", videos.frames(3))
    (plain, *_), _ = read(path)
    assert plain.pixels.shape == (64, 96, 3)
    assert plain.pixels[4, 4, 2] > 200 > plain.pixels[4, 4, 0]
    videos.turn(path)
    (turned, *_), _ = read(path)
    assert turned.pixels.shape == (96, 64, 3)
    assert turned.pixels[4, 59, 2] > 200, "the upper left corner came to the upper right"
    assert turned.pixels[4, 59, 1] < 100
    assert turned.pixels[4, 4, 1] > 200, "and the yellow lower left to the upper left"


@pytest.mark.parametrize(
    ("sampling", "numbers"),
    [
        (Sampling(every=4), [0, 4, 8]),
        (Sampling(per_second=5), [0, 2, 4, 6, 8]),
        (Sampling(per_second=3), [0, 4, 7]),
        (Sampling(per_second=99), list(range(10))),
    ],
)
def test_some_of_the_frames_are_looked_at(tmp_path, sampling, numbers):
    path = videos.write(tmp_path / "a.mp4", videos.frames(10))
    frames, source = read(path, sampling)
    assert [frame.number for frame in frames] == numbers
    assert source.read == 10


def test_a_video_that_was_cut_short_is_read_as_far_as_it_goes(tmp_path):
    path = videos.write(tmp_path / "a.mkv", videos.frames(40))
    videos.cut(path, 0.5)
    frames, source = read(path)
    assert 5 < len(frames) < 35
    assert any("of the 4.0 s it announces" in fault for fault in source.faults)


def test_a_video_damaged_in_the_middle_is_read_on(tmp_path):
    path = videos.write(tmp_path / "a.mkv", videos.frames(40))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = np.random.default_rng(0).bytes(1500)
    path.write_bytes(content)
    frames, source = read(path)
    assert len(frames) > 10
    assert source.faults


def test_what_is_no_video_is_told(tmp_path):
    with pytest.raises(DataError, match="no video"):
        open_video(tmp_path / "absent.mp4")
    lost = videos.write(tmp_path / "lost.mp4", videos.frames(10))
    videos.cut(lost, 0.6)  # its index stood at the end
    with pytest.raises(DataError, match=r"lost\.mp4 holds no pictures that can be read"):
        open_video(lost)
    (tmp_path / "text.mp4").write_text("no video", encoding="utf-8")
    with pytest.raises(DataError, match="can't read the video"):
        open_video(tmp_path / "text.mp4")


def test_a_playlist_reaches_no_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", address, "#EXT-X-ENDLIST", ""]
        (tmp_path / "list.m3u8").write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(DataError):
            list(open_video(tmp_path / "list.m3u8").frames(ALL))
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_odd_sizes_and_frames_of_another_size_are_written(tmp_path):
    with writing.VideoWriter(tmp_path / "a.mp4", 10) as writer:
        writer.add(videos.frames(1, 33, 47)[0], 0)
        writer.add(videos.frames(1, 64, 96)[0], 0.1)
    frames, _ = read(tmp_path / "a.mp4")
    assert [frame.pixels.shape for frame in frames] == [(34, 48, 3)] * 2


def test_a_video_appears_whole_or_not_at_all(tmp_path):
    def fail():
        with writing.VideoWriter(tmp_path / "a.mp4", 10) as writer:
            writer.add(videos.frames(1)[0], 0)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with writing.VideoWriter(tmp_path / "b.mp4", 10):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_answered_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UnavailableError) as caught:
        pyav()
    assert caught.value.hint == 'python -m pip install "thesis[video]"'


def test_a_camera_is_read_without_an_end(monkeypatch):
    system = camera.CameraSystem("lavfi", "testsrc=size=96x64:rate=10", "{}", {})
    monkeypatch.setitem(camera.SYSTEMS, sys.platform, system)
    with camera.open_camera("0") as source:
        frames = [frame for frame, _ in zip(source.frames(ALL), range(12), strict=False)]
        assert (source.expected, source.announced, source.size) == (0, 0, (96, 64))
    assert np.allclose([frame.seconds for frame in frames], np.arange(12) / 10)


def test_a_missing_camera_is_told(monkeypatch):
    system = camera.CameraSystem("v4l2", "/nowhere/video{}", "{}", {})
    monkeypatch.setitem(camera.SYSTEMS, sys.platform, system)
    with pytest.raises(UnavailableError, match="can't open camera 7"):
        camera.open_camera("7")
    monkeypatch.delitem(camera.SYSTEMS, sys.platform)
    with pytest.raises(UnavailableError, match="cameras are not reached"):
        camera.open_camera("0")
