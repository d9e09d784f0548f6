"""`thesis runs stamp`: an authority's time on a seal is kept where it holds, and nowhere else."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from stand_ins.timestamp_authority import OpenSslAuthority, serving

from experiments.ledger.ledger import Ledger
from experiments.records.run import Run
from experiments.records.seal import SEAL, seal
from experiments.records.store import Store
from experiments.timestamps.token_files import keep_token, token_files

ANSWERS = Path(__file__).parents[1] / "experiments" / "timestamps" / "answers"
ROOT = ANSWERS / "root.pem"
OF_ANOTHER_SEAL = (ANSWERS / "granted.tsr").read_bytes()
REFUSAL = (ANSWERS / "refused.tsr").read_bytes()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def run(workspace, make_run):
    return make_run(workspace, "v1")


def kinds(workspace):
    path = Ledger(workspace).path
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line)["event"] for line in lines]


def timestamps(answer):
    return [(each["outcome"], each["detail"]) for row in answer.data for each in row["timestamps"]]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (OF_ANOTHER_SEAL, "it is over another seal"),
        (REFUSAL, "did not grant it"),
        (b"<html>no</html>", "no RFC 3161 answer"),
        (b"", "no RFC 3161 answer"),
        ((500, {}, b"broken"), "answered 500"),
        ((301, {"Location": "http://elsewhere.example/"}, b""), "http://elsewhere.example/"),
    ],
)
def test_what_does_not_hold_is_not_kept(thesis, workspace, run, answer, told):
    with serving(lambda _: answer) as (url, _):
        said = thesis(
            "runs", "stamp", "v1", "--authority", url, "--roots", ROOT, workspace=workspace
        )
    assert said.code == 4
    assert told in said.err
    assert token_files(run.folder) == []
    assert "stamped" not in kinds(workspace)


def test_nothing_is_asked_for_a_record_that_is_no_evidence(thesis, workspace, run, make_run):
    make_run(workspace, "v2", status="interrupted")
    (run.folder / "log.txt").write_text("another", encoding="utf-8")
    with serving(lambda _: b"") as (url, seen):
        changed = thesis("runs", "stamp", "v1", "--authority", url, workspace=workspace)
        unsealed = thesis("runs", "stamp", "v2@1", "--authority", url, workspace=workspace)
    assert (changed.code, unsealed.code, seen) == (4, 4, [])
    assert "not what was sealed" in changed.err
    assert "thesis run v2 --resume" in unsealed.err


@pytest.mark.usefixtures("run")
def test_an_address_that_is_none_is_refused(thesis, workspace):
    answer = thesis("runs", "stamp", "v1", "--authority", "file:///x", workspace=workspace)
    assert answer.code == 2
    assert "--authority https://" in answer.err


def test_a_missing_extra_names_its_command(thesis, valid, workspace, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    install = 'python -m pip install "thesis[timestamps]"'
    with serving(lambda _: b"") as (url, seen):
        answer = thesis("runs", "stamp", "v1", "--authority", url, workspace=workspace)
    assert (answer.code, seen) == (4, [])
    assert install in answer.err
    assert thesis("runs", "verify", workspace=workspace).code == 0
    keep_token(run.folder, OF_ANOTHER_SEAL)
    told = thesis("runs", "verify", "--json", workspace=workspace)
    assert told.code == 0
    valid(told)
    [(outcome, detail)] = timestamps(told)
    assert outcome == "not done"
    assert install in detail


def test_a_timestamp_of_another_seal_fails_and_the_record_stays_intact(
    thesis, valid, workspace, run
):
    keep_token(run.folder, OF_ANOTHER_SEAL)
    answer = thesis("runs", "verify", "--json", workspace=workspace)
    assert answer.code == 1
    (row,) = valid(answer)
    assert row["intact"]
    assert timestamps(answer) == [("failed", "it is over another seal")]
    assert Store(workspace).problems(run) == []


def test_garbage_beside_a_record_fails(thesis, workspace, run):
    run.folder.with_name("001.mine.tsr").write_bytes(b"garbage")
    answer = thesis("runs", "verify", workspace=workspace)
    assert answer.code == 1
    assert "001.mine.tsr: it is no RFC 3161 answer" in answer.out


def test_timestamps_go_and_come_with_their_run(thesis, workspace, run):
    path = keep_token(run.folder, OF_ANOTHER_SEAL)
    thesis("runs", "rm", "v1", "--yes", workspace=workspace)
    assert list(workspace.runs.rglob("*.tsr")) == []
    assert thesis("runs", "restore", "v1@1", workspace=workspace).code == 0
    assert path.read_bytes() == OF_ANOTHER_SEAL


class Stamped:
    """A workspace whose run v1@1 has a timestamp by a real authority."""

    def __init__(self, thesis, workspace, run, authority):
        self.thesis, self.workspace, self.run, self.authority = thesis, workspace, run, authority

    def stamp(self, answer=None, roots=True):
        with serving(answer or self.authority.answer) as (url, _):
            return self.thesis(
                "runs", "stamp", "v1", "--authority", f"{url}?key=secret", "--json",
                *(["--roots", self.authority.root] if roots else []), workspace=self.workspace,
            )  # fmt: skip

    def verify(self, *options):
        return self.thesis("runs", "verify", "--json", *options, workspace=self.workspace)

    def verify_by_root(self):
        return self.verify("--roots", self.authority.root)


@pytest.fixture
def stamped(thesis, workspace, run, tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    return Stamped(thesis, workspace, run, OpenSslAuthority(tmp_path / "authority"))


@pytest.mark.external
def test_a_timestamp_is_kept_beside_the_seal_noted_and_examined_again(stamped, valid):
    (row,) = valid(stamped.stamp())
    assert (row["run"], row["outcome"], row["authority"]) == ("v1@1", "held", "Local Authority")
    (path,) = token_files(stamped.run.folder)
    assert path.parent == stamped.run.folder.parent
    (event,) = Ledger(stamped.workspace).memory.timestamps["v1@1"]
    assert event.seal == stamped.run.seal
    assert "secret" not in Ledger(stamped.workspace).path.read_text(encoding="utf-8")
    answer = stamped.verify_by_root()
    assert answer.code == 0
    (verified,) = valid(answer)
    assert verified["intact"]
    (told,) = verified["timestamps"]
    assert (told["outcome"], told["time"], told["asked"]) == ("held", row["time"], event.source)
    assert "revoked is not looked up" in told["detail"]


@pytest.mark.external
def test_whom_nobody_here_trusts_is_not_kept_and_later_not_believed(stamped):
    answer = stamped.stamp(roots=False)
    assert answer.code == 4
    assert "--roots FILE" in answer.err
    assert token_files(stamped.run.folder) == []
    assert stamped.stamp().code == 0
    unknown = stamped.verify()
    assert unknown.code == 0
    [(outcome, detail)] = timestamps(unknown)
    assert outcome == "not done"
    assert "over this seal; who signed it is not known" in detail
    wrong = stamped.verify("--roots", ANSWERS / "other-root.pem")
    assert (wrong.code, timestamps(wrong)[0][0]) == (1, "failed")


@pytest.mark.external
def test_an_earlier_answer_sent_again_is_not_kept(stamped):
    earlier = []

    def repeat(query):
        earlier.append(stamped.authority.answer(query))
        return earlier[0]

    assert stamped.stamp(repeat).code == 0
    answer = stamped.stamp(repeat)
    assert answer.code == 4
    assert "nonce" in answer.err
    assert len(token_files(stamped.run.folder)) == 1


@pytest.mark.external
def test_two_timestamps_of_one_seal_are_both_kept(stamped):
    assert (stamped.stamp().code, stamped.stamp().code) == (0, 0)
    assert [outcome for outcome, _ in timestamps(stamped.verify_by_root())] == ["held", "held"]


@pytest.mark.external
def test_a_changed_timestamp_fails_and_a_lost_one_is_told(stamped):
    stamped.stamp()
    (path,) = token_files(stamped.run.folder)
    path.write_bytes(stamped.authority.answer((stamped.authority.folder / "query").read_bytes()))
    answer = stamped.verify_by_root()
    assert answer.code == 1
    assert timestamps(answer) == [("failed", "changed since it was kept")]
    path.unlink()
    answer = stamped.verify_by_root()
    assert answer.code == 0
    assert "its file is gone" in timestamps(answer)[0][1]


@pytest.mark.external
def test_a_record_that_is_sealed_anew_loses_its_timestamp(stamped):
    stamped.stamp()
    folder = stamped.run.folder
    Ledger(stamped.workspace).path.unlink()  # which would tell of it too
    (folder / SEAL).unlink()
    (folder / "log.txt").write_text("another", encoding="utf-8")
    seal(folder)
    assert Run(folder).sealed
    answer = stamped.verify_by_root()
    assert answer.code == 1
    assert timestamps(answer) == [("failed", "it is over another seal")]


@pytest.mark.external
def test_line_ends_that_git_converts_in_a_seal_take_no_timestamp_away(stamped):
    stamped.stamp()
    path = stamped.run.folder / SEAL
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert timestamps(stamped.verify_by_root())[0][0] == "held"
