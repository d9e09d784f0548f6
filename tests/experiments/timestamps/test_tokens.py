"""What an authority answered is over this message, answers this request, and is vouched for.

`answers/` was made once by `stand_ins.timestamp_authority.OpenSslAuthority`: over MESSAGE, granted
(its certificates in the order of the chain, which DER forbids), without the chain, and refused; the
root, with and without the certificate below it; and the root of another one.
"""

import contextlib
from pathlib import Path

import pytest
from rfc3161_client import decode_timestamp_response

from experiments.timestamps import tokens
from experiments.timestamps.certificate_order import with_sorted_certificates
from experiments.timestamps.roots import SYSTEM, TrustedRoots, trusted_roots
from featherface.errors import ClaimFalseError, DataError, NotFoundError, ThesisError

ANSWERS = Path(__file__).parent / "answers"
MESSAGE = b"a seal\n"
GRANTED = (ANSWERS / "granted.tsr").read_bytes()
ROOT = ANSWERS / "root.pem"


def test_a_token_that_holds_passes_and_says_when_and_who():
    token = tokens.read_token(GRANTED)
    tokens.check_message(token, MESSAGE)
    tokens.check_signature(token, MESSAGE, trusted_roots(ROOT))
    assert token.authority == "Local Authority"
    assert token.time.utcoffset().total_seconds() == 0


def test_certificates_that_come_as_a_chain_are_read_though_der_wants_them_sorted():
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(GRANTED)
    ordered = with_sorted_certificates(GRANTED)
    assert sorted(ordered) == sorted(GRANTED)
    assert with_sorted_certificates(ordered) == ordered
    assert len(tokens.read_token(GRANTED).response.signed_data.certificates) == 2


@pytest.mark.parametrize("content", [b"", b"0", b"garbage", GRANTED[:300], b"0\x84\xff\xff\xff"])
def test_what_is_no_answer_is_not_sorted(content):
    assert with_sorted_certificates(content) == content


def test_a_chain_that_does_not_come_with_the_answer_may_stand_beside_the_root():
    token = tokens.read_token((ANSWERS / "without-chain.tsr").read_bytes())
    with pytest.raises(tokens.UntrustedError, match="issuer"):
        tokens.check_signature(token, MESSAGE, trusted_roots(ROOT))
    tokens.check_signature(token, MESSAGE, trusted_roots(ANSWERS / "middle-and-root.pem"))


def test_a_request_asks_for_certificates_and_never_repeats_its_nonce():
    requests = [tokens.make_request(MESSAGE) for _ in range(2)]
    assert requests[0].nonce != requests[1].nonce
    assert requests[0].cert_req
    assert requests[0].message_imprint.message == requests[1].message_imprint.message


def test_a_token_over_another_message_is_refused():
    with pytest.raises(ClaimFalseError, match="another seal"):
        tokens.check_message(tokens.read_token(GRANTED), b"another seal\n")


def test_an_answer_to_another_request_is_refused():
    with pytest.raises(ClaimFalseError, match="nonce"):
        tokens.check_nonce(tokens.read_token(GRANTED), tokens.make_request(MESSAGE))


def test_a_root_that_does_not_vouch_is_told():
    token = tokens.read_token(GRANTED)
    with pytest.raises(tokens.UntrustedError, match=r"other-root\.pem"):
        tokens.check_signature(token, MESSAGE, trusted_roots(ANSWERS / "other-root.pem"))
    with pytest.raises(tokens.UntrustedError, match="no root"):
        tokens.check_signature(token, MESSAGE, TrustedRoots((), SYSTEM))


def test_a_signature_that_is_wrong_is_no_matter_of_trust():
    damaged = GRANTED[:-3] + bytes([GRANTED[-3] ^ 1]) + GRANTED[-2:]
    with pytest.raises(ClaimFalseError) as caught:
        tokens.check_signature(tokens.read_token(damaged), MESSAGE, trusted_roots(ROOT))
    assert not isinstance(caught.value, tokens.UntrustedError)


def test_another_time_in_the_token_breaks_its_signature():
    year = GRANTED.index(b"\x18\x0f20") + 2
    forged = tokens.read_token(GRANTED[:year] + b"1999" + GRANTED[year + 4 :])
    assert forged.time.year == 1999
    with pytest.raises(ClaimFalseError):
        tokens.check_signature(forged, MESSAGE, trusted_roots(ROOT))


@pytest.mark.filterwarnings("ignore::UserWarning")  # some damage makes an odd serial number
def test_damage_anywhere_changes_no_time_and_ends_in_words():
    roots, time = trusted_roots(ROOT), tokens.read_token(GRANTED).time
    version = GRANTED.index(b"\xa0\x03\x02\x01\x02") + 4  # of a certificate: no ValueError
    for place, flip in [*((place, 1) for place in range(len(GRANTED))), (version, 0x21)]:
        damaged = GRANTED[:place] + bytes([GRANTED[place] ^ flip]) + GRANTED[place + 1 :]
        with contextlib.suppress(ThesisError):
            token = tokens.read_token(damaged)
            tokens.check_message(token, MESSAGE)
            tokens.check_signature(token, MESSAGE, roots)
            assert token.time == time, place


def test_a_refusal_is_told_in_its_own_words():
    with pytest.raises(DataError, match="did not grant it"):
        tokens.read_token((ANSWERS / "refused.tsr").read_bytes())


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>\x1b[31mno</html>", GRANTED[:300], GRANTED + b"x", b"\x30\x03\x02\x01\x02"],
)
def test_garbage_is_no_answer(content):
    with pytest.raises(DataError, match="no RFC 3161 answer") as caught:
        tokens.read_token(content)
    assert caught.value.message.isprintable()


def test_roots_are_read_from_pem_and_der(tmp_path):
    pem = trusted_roots(ROOT)
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - an extra

    (tmp_path / "root.der").write_bytes(pem.certificates[0].public_bytes(Encoding.DER))
    assert trusted_roots(tmp_path / "root.der").certificates == pem.certificates
    with pytest.raises(DataError, match="no certificate"):
        trusted_roots(ANSWERS / "granted.tsr")
    with pytest.raises(NotFoundError):
        trusted_roots(tmp_path / "none.pem")


def test_without_a_file_the_systems_roots_vouch():
    assert not trusted_roots(None).given
    assert trusted_roots(ROOT).given
