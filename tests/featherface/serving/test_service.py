from __future__ import annotations

import asyncio
import json
import struct
import threading
import zlib

import pytest
from PIL import Image

from featherface.data.images import decode_image
from featherface.inference.detect import detect
from featherface.serving.refusals import Refusal

uploads = pytest.importorskip("featherface.serving.uploads", reason="the extra `serve` is missing")


def png(width, height, *chunks):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def code_of(answer):
    """Give the code of an error, whose shape is always the same."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "hint"}
    return answer.status_code, error["code"]


def test_a_picture_as_body_or_in_a_form_gives_faces_in_its_pixels(served, picture):
    service = served()
    content = picture()
    wanted = detect(service.engine, service.engine.config, decode_image(content, "", 1, 999))
    answers = [service.post(content), service.post_files(content, path="/detect")]
    for answer in answers:
        assert answer.status_code == 200
        told = answer.json()
        assert (told["width"], told["height"]) == (96, 64)
        (face,) = told["faces"]
        assert face["box"] == wanted.boxes[0].tolist()
        assert face["score"] == pytest.approx(0.9)
        assert face["landmarks"] == wanted.landmarks[0].reshape(5, 2).tolist()
        assert told["model"] == {"name": "v2@3", "engine": "torch", "sha256": "a" * 64}


def test_a_picture_is_turned_as_its_exif_asks(served, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    told = served().post(picture(exif=exif)).json()
    assert (told["width"], told["height"]) == (64, 96)


def test_the_lowest_score_is_what_the_request_asks_for(served, picture):
    service = served()
    assert service.post(picture(), "/detect?score=0.95").json()["faces"] == []
    assert len(service.post(picture(), "/detect?score=0.85").json()["faces"]) == 1


def long_text():
    text = zlib.compress(bytes(5 * 10**6))
    return png(8, 8, (b"zTXt", b"a\0\0" + text), (b"IDAT", zlib.compress(bytes(72))))


def test_each_wrong_request_gets_its_status_and_one_shape_of_error(served, picture):
    service = served(megapixels=0.05)
    whole = picture()
    form = {"content-type": "multipart/form-data; boundary=x"}
    part = b'--x\r\ncontent-disposition: form-data; name="p"; filename="p"\r\n\r\n' + whole
    cases = {
        "truncated": (service.post(whole[:-400]), (400, "damaged")),
        "damaged header": (service.post(b"\x89PNG\r\n\x1a\n" + bytes(99)), (400, "damaged")),
        "a text of 5 MB": (service.post(long_text()), (400, "damaged")),
        "a bomb": (service.post(png(20_000, 20_000)), (413, "too_many_pixels")),
        "beyond Pillow": (service.post(png(60_000, 60_000)), (413, "too_many_pixels")),
        "a long side": (service.post(png(20_000, 1)), (413, "too_many_pixels")),
        "large": (service.post(bytes(10**6 + 1)), (413, "too_many_bytes")),
        "large, no length": (service.post(iter([bytes(10**6), b"a"])), (413, "too_many_bytes")),
        "large in a form": (service.post_files(bytes(10**6 + 1)), (413, "too_many_bytes")),
        "GIF": (service.post(picture(kind="GIF")), (415, "wrong_type")),
        "text": (service.post(b"hello"), (415, "wrong_type")),
        "JSON": (service.post(b"{}", headers={"content-type": "text/json"}), (415, "wrong_type")),
        "nothing": (service.post(b""), (422, "no_picture")),
        "several": (service.post_files(whole, whole, path="/detect"), (422, "no_picture")),
        "no file": (service.client.post("/detect", files={"a": (None, "b")}), (422, "no_picture")),
        "broken form": (service.post(part, headers=form), (400, "malformed")),
        "no form": (service.post(whole, headers=form), (400, "malformed")),
        "a score": (service.post(whole, "/detect?score=1"), (422, "invalid")),
        "a low score": (service.post(whole, "/detect?score=0.01"), (422, "invalid")),
        "a path": (service.client.get("/no"), (404, "not_found")),
        "a method": (service.client.get("/detect"), (405, "method_not_allowed")),
    }
    given = {name: code_of(answer) for name, (answer, _) in cases.items()}
    assert given == {name: wanted for name, (_, wanted) in cases.items()}
    assert service.engine.shapes == []


def test_a_batch_keeps_its_order_and_has_an_error_where_a_picture_is_bad(served, picture):
    service = served()
    answer = service.post_files(picture(), picture(), b"no", picture(32, 32), picture()[:-400])
    assert answer.status_code == 200
    entries = answer.json()["pictures"]
    codes = [entry.get("error", {}).get("code") for entry in entries]
    assert codes == [None, None, "wrong_type", None, "damaged"]
    assert [entry["name"] for entry in entries if "name" in entry] == ["0.jpg", "1.jpg", "3.jpg"]
    assert [shape[0] for shape in service.engine.shapes] == [2, 1]  # of one size together


def test_a_batch_without_a_good_picture_has_the_status_of_the_first(served, picture):
    answer = served().post_files(picture()[:-400], b"no")
    assert code_of(answer) == (400, "damaged")
    assert len(answer.json()["pictures"]) == 2


def test_a_batch_of_too_many_pictures_is_refused(served, picture):
    answer = served(pictures=2).post_files(*3 * [picture()])
    assert code_of(answer) == (413, "too_many_pictures")


def test_who_comes_when_all_places_are_taken_is_told_when_to_come_back(served, picture):
    service = served(requests=1)
    with service.service.admission.admitted():
        answer = service.post(picture())
        assert code_of(answer) == (503, "busy")
        assert answer.headers["retry-after"] == "1"
        assert service.client.get("/health").status_code == 200
        assert "thesis_requests_held 1.0" in service.client.get("/metrics").text
    assert service.post(picture()).status_code == 200


def test_all_uploads_together_hold_no_more_memory_than_allowed(served, picture):
    service = served(held_megabytes=0.5)
    with service.service.admission.admitted() as other:
        other.take(500_000)
        assert code_of(service.post(picture())) == (503, "busy")
    assert service.post(picture()).status_code == 200


def test_what_takes_too_long_is_given_up_and_the_next_is_answered(served, picture):
    service = served(seconds=0.3, concurrency=1)
    service.engine.gate.clear()
    assert code_of(service.post(picture())) == (504, "too_slow")
    waited = service.post(picture())
    assert code_of(waited) == (503, "busy")  # its turn did not come
    assert waited.headers["retry-after"]
    service.engine.gate.set()
    assert service.post(picture()).status_code == 200
    assert len(service.engine.shapes) == 2  # nothing was looked at for who had gone


def test_the_rest_of_a_batch_that_was_given_up_is_not_looked_at(served, picture):
    service = served(seconds=0.3, concurrency=1)
    service.engine.gate.clear()
    answer = service.post_files(picture(), picture(32, 32), picture(64, 32))
    assert code_of(answer) == (504, "too_slow")
    service.engine.gate.set()
    service.service.threads._threads.shutdown(wait=True)
    assert len(service.engine.shapes) == 1


def test_a_stopping_service_takes_nothing_new_and_ends_what_it_has(served, picture):
    service = served()
    service.engine.gate.clear()
    answers = []
    working = threading.Thread(target=lambda: answers.append(service.post(picture())))
    working.start()
    while not service.engine.shapes:
        pass
    service.service.stop()
    assert code_of(service.post(picture())) == (503, "stopping")
    assert service.client.get("/health/ready").status_code == 503
    assert service.client.get("/health/live").status_code == 200
    service.engine.gate.set()
    working.join()
    assert answers[0].status_code == 200


@pytest.mark.parametrize(
    ("message", "status"), [(None, 408), ({"type": "http.disconnect"}, 499)], ids=["slow", "gone"]
)
def test_an_upload_that_stops_coming_is_not_waited_for(served, message, status):
    admission = served(upload_seconds=0.05).service.admission
    arrived = [{"type": "http.request", "body": b"a", "more_body": True}, message]

    async def receive():
        return arrived.pop(0) or await asyncio.sleep(60)

    async def read():
        with admission.admitted() as allowance:
            await uploads.read_pictures({}, receive, allowance, 1)

    with pytest.raises(Refusal) as refused:
        asyncio.run(read())
    assert refused.value.status == status


def test_nothing_is_computed_for_a_client_that_went_away(served, picture):
    service = served(concurrency=1).service
    arrived = [{"type": "http.request", "body": picture(), "more_body": False}]

    async def receive():
        return arrived.pop(0) if arrived else {"type": "http.disconnect"}

    async def ask():
        busy = asyncio.get_running_loop().run_in_executor(
            service.threads._threads, threading.Event().wait, 0.2
        )
        with pytest.raises(Refusal) as refused:
            await service.picture({}, receive, 0.5)
        await busy
        return refused.value.status

    assert asyncio.run(ask()) == 499
    assert service.model.engine.shapes == []


def test_a_defect_is_an_error_of_the_same_shape(served, picture, monkeypatch):
    monkeypatch.setattr("featherface.serving.detection.detect_together", None)
    assert code_of(served().post(picture())) == (500, "defect")


def test_the_log_has_a_line_for_each_request_and_nothing_of_the_picture(served, picture):
    service = served()
    service.client.post("/detect?score=0.5", files={"p": ("Ada Lovelace.jpg", picture())})
    service.client.get("/a%0Ab")
    first, second = service.log
    assert " POST /detect 200 " in first
    assert first.endswith(" ms")
    assert "Ada" not in first
    assert "score" not in first
    assert r" GET /a\nb 404 " in second


def test_the_log_as_json_has_the_same_facts(served):
    service = served(as_json=True)
    service.client.get("/health")
    line = json.loads(service.log[0])
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health", 200)
    assert set(line) == {"time", "method", "path", "status", "milliseconds"}


def test_metrics_count_by_path_and_status_and_no_path_that_is_not_there(served, picture):
    service = served()
    service.post(picture())
    service.post(b"no")
    service.client.get("/one")
    service.client.get("/two")
    text = service.client.get("/metrics").text
    for line in (
        'thesis_requests_total{path="/detect",status="200"} 1.0',
        'thesis_requests_total{path="/detect",status="415"} 1.0',
        'thesis_requests_total{path="other",status="404"} 2.0',
        'thesis_pictures_total{outcome="done"} 1.0',
        'thesis_pictures_total{outcome="wrong_type"} 1.0',
        "thesis_faces_total 1.0",
        'thesis_stage_seconds_count{stage="network"} 1.0',
    ):
        assert line in text
    assert "/one" not in text


def test_what_is_served_is_told_with_its_run_seal_digest_and_evidence(served):
    told = served().client.get("/model").json()
    assert (told["run"], told["seal"], told["sha256"]) == ("v2@3", "b" * 64, "a" * 64)
    assert told["checked_by"] == "seal of v2@3"
    assert told["evidence"][0]["name"] == "widerface.hard.ap"
    assert told["settings"]["channels"]
    assert told["limits"]["megabytes"] == 1.0
