"""Archives are fetched once, gone on with, checked, and unpacked nowhere else."""

import functools
import hashlib
import http.server
import io
import threading
import zipfile

import pytest

from featherface.data.archives import ARCHIVES, Archive
from featherface.data.download import PART, fetch, unpack
from featherface.errors import DataError, InterruptedRunError, UnavailableError


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `content`, from where it is asked to; `seen` keeps what was asked."""

    def __init__(self, content, seen, ranges, *arguments):
        self.content, self.seen, self.ranges = content, seen, ranges
        super().__init__(*arguments)

    def do_GET(self):
        asked = self.headers.get("Range", "")
        self.seen.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if self.ranges else 0
        self.send_response(206 if self.ranges and start else 200)
        self.end_headers()
        self.wfile.write(self.content[start:])

    def log_message(self, *_):
        """Say nothing."""


def packed(names=("WIDER_val/images/0--A/x.jpg", "WIDER_val/readme.txt")):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            # With the time of day in it, two of them would differ now and then.
            archive.writestr(zipfile.ZipInfo(name), f"content of {name}" * 100)
    return stream.getvalue()


@pytest.fixture
def serve():
    """Start servers of some bytes; give the archive and what was asked of the server."""
    servers = []

    def start(content, *, ranges=True, declared=None):
        seen = []
        handler = functools.partial(Server, content, seen, ranges)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        whole = content if declared is None else declared
        digest = hashlib.sha256(whole).hexdigest()
        url = f"http://127.0.0.1:{server.server_port}/WIDER_val.zip"
        return Archive("WIDER_val.zip", url, len(whole), digest, "pictures"), seen

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_it_is_fetched_once_checked_and_unpacked(serve, tmp_path):
    archive, seen = serve(packed())
    told = []
    path = fetch(archive, tmp_path, told.append)
    assert (path.read_bytes(), seen) == (packed(), ["bytes=0-"])
    assert told
    assert fetch(archive, tmp_path) == path
    assert len(seen) == 1
    assert unpack(path, tmp_path) == 2
    picture = tmp_path / "WIDER_val" / "images" / "0--A" / "x.jpg"
    assert picture.read_text(encoding="utf-8").startswith("content of WIDER_val")
    before = picture.stat().st_mtime_ns
    (tmp_path / "WIDER_val" / "readme.txt").write_text("half", encoding="utf-8")
    unpack(path, tmp_path)
    assert picture.stat().st_mtime_ns == before
    assert (tmp_path / "WIDER_val" / "readme.txt").stat().st_size > 4


@pytest.mark.parametrize("ranges", [True, False])
def test_it_goes_on_where_it_stopped(serve, tmp_path, ranges):
    content = packed()
    archive, seen = serve(content, ranges=ranges)
    (tmp_path / f"WIDER_val.zip{PART}").write_bytes(content[:100])
    assert fetch(archive, tmp_path).read_bytes() == content
    assert seen == ["bytes=100-"]
    assert not (tmp_path / f"WIDER_val.zip{PART}").exists()


def test_a_connection_that_ends_early_is_told_and_gone_on_with(serve, tmp_path):
    content = packed()
    broken, _ = serve(content[:150], declared=content)
    with pytest.raises(UnavailableError, match="ended after 150 of") as caught:
        fetch(broken, tmp_path)
    assert f"put it there as {tmp_path / 'WIDER_val.zip'}" in caught.value.hint
    whole, seen = serve(content)
    assert fetch(whole, tmp_path).read_bytes() == content
    assert seen == ["bytes=150-"]


def test_stopping_keeps_what_came(serve, tmp_path):
    content = packed() + bytes(3 << 20)
    archive, _ = serve(content)
    with pytest.raises(InterruptedRunError, match="stopped after"):
        fetch(archive, tmp_path, should_stop=lambda: True)
    part = tmp_path / f"WIDER_val.zip{PART}"
    assert 0 < part.stat().st_size < len(content)
    assert fetch(archive, tmp_path).read_bytes() == content


def test_without_a_network_it_says_what_to_place_where(tmp_path):
    archive = Archive("WIDER_val.zip", "http://127.0.0.1:9/x.zip", 100, "0" * 64, "pictures")
    with pytest.raises(UnavailableError, match="can't fetch") as caught:
        fetch(archive, tmp_path)
    assert "http://127.0.0.1:9/x.zip" in caught.value.hint
    assert str(tmp_path / "WIDER_val.zip") in caught.value.hint


def test_other_content_is_refused(serve, tmp_path):
    content = packed()
    archive, _ = serve(content[:-1] + b"?", declared=content)
    with pytest.raises(DataError, match="other content"):
        fetch(archive, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "WIDER_val.zip").write_bytes(b"my own")
    with pytest.raises(DataError, match="6 bytes instead of"):
        fetch(archive, tmp_path)
    assert (tmp_path / "WIDER_val.zip").read_bytes() == b"my own"  # the user's: never removed


def test_an_archive_that_cannot_fit_is_not_begun(tmp_path):
    huge = Archive("WIDER_val.zip", "http://127.0.0.1:9/x.zip", 1 << 60, "0" * 64, "pictures")
    with pytest.raises(UnavailableError, match="are free"):
        fetch(huge, tmp_path)


@pytest.mark.parametrize("name", ["../x.jpg", "/x.jpg", "a/../../x.jpg", "C:/x.jpg"])
def test_members_stay_inside(tmp_path, name):
    path = tmp_path / "bad.zip"
    path.write_bytes(packed((name,)))
    with pytest.raises(DataError, match="leaves the folder"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match="no whole archive"):
        unpack(path, tmp_path / "out")


def test_the_table_is_whole():
    assert list(ARCHIVES) == ["annotations", "ground-truth", "val", "train"]
    for archive in ARCHIVES.values():
        assert archive.url.endswith(archive.name)
        assert len(bytes.fromhex(archive.sha256)) == 32
