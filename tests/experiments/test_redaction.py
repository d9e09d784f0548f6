"""No secret reaches a record, and no digest is taken for one.

Every secret is made up here at run time: none lies in this file for a scanner to find.
"""

import random
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import redaction

DRAW = random.Random(5)


def drawn(signs, length):
    """Return LENGTH random SIGNS, a digit among them."""
    return "7" + "".join(DRAW.choice(signs) for _ in range(length - 1))


WORD = drawn(string.ascii_letters + string.digits, 14)
HEX_40 = drawn("0123456789abcdef", 40)
BODY = drawn(string.ascii_letters + string.digits + "+/", 64)
LAST = drawn(string.ascii_letters, 20) + "=="
SHA256 = drawn("0123456789abcdef", 64)
BEGIN, END = (f"-----{word} RSA PRIVATE " + "KEY-----" for word in ("BEGIN", "END"))

PLANTED = {
    "unquoted": f"password = {WORD}",
    "unquoted without a digit": "password: " + "hunter",
    "unquoted in a sentence": f"log in with password={WORD} first",
    "of an environment file": f"export DB_PASSWORD={WORD}",
    "of YAML": f"  client_secret: {WORD}",
    "of an ini file": f"aws_secret_access_key = /{WORD}+{WORD}",
    "before a command": f"PGPASSWORD={WORD} psql",
    "in French": f"mot de passe : {WORD}",
    "in French, short": f"mdp={WORD}",
    "unquoted, of several words": f"passphrase = correct horse {WORD} staple",
    "quoted": f'API_TOKEN = "{WORD}"',
    "quoted with a quote inside": f'password = "it\'s {WORD}"',
    "of JSON": f'{{"password": "{WORD}", "epochs": 3}}',
    "of a notebook": f'"API_TOKEN = \\"{WORD}\\"\\n",',
    "with its type": f'password: str = "{WORD}"',
    "an argument": f"login(api_key='{WORD}')",
    "set in the environment": f"os.environ['WANDB_API_KEY'] = '{WORD}'",
    "put into the environment": f"setenv('WANDB_API_KEY', '{WORD}')",
    "Kaggle's": f'{{"username": "me", "key": "{HEX_40[:32]}"}}',
    "a bearer header": f"Authorization: Bearer {WORD}",
    "a bearer header in code": f'headers = {{"Authorization": "Bearer {WORD}"}}',
    "a basic header": f"curl -H 'Authorization: Basic {WORD}=='",
    "a header without a scheme": f"authorization: {WORD}",
    "a bearer alone": f"sent as bearer {WORD}",
    "another header": f"X-API-Key: {WORD}",
    "a cookie": f"Cookie: session={WORD}; other=1",
    "curl's user": f"curl -u me:{WORD} https://host.org",
    "a line of netrc": f"machine api.host.org login me password {WORD}",
    "lines of netrc": f"machine api.host.org\n  login me\n  password {WORD}\n",
    "lines of netrc in a patch": f"+login me\n+password {WORD}\n",
    "W&B's, bare": HEX_40,
    "W&B's, at the end of a sentence": f"my key is {HEX_40}.",
    "W&B's, typed": f"wandb login {HEX_40}",
    "W&B's, of one's own server": f"local-{HEX_40}",
    "W&B's newer ones": "wandb_v1_" + WORD * 3,
    "GitHub's": "ghp_" + WORD * 2,
    "GitHub's finer ones": "github_pat_" + WORD * 3,
    "Hugging Face's": "hf_" + WORD * 2,
    "GitLab's": "glpat-" + WORD * 2,
    "Slack's": "xoxb-" + WORD * 2,
    "Slack's hook": f"https://hooks.slack.com/services/T0/B0/{WORD}",
    "AWS's": "AKIA" + WORD.upper() + "AB",
    "OpenAI's": "sk-proj-" + WORD * 2,
    "Google's": "AIza" + WORD * 3,
    "npm's": "npm_" + WORD * 3,
    "a web token": f"eyJ{WORD}.{WORD}.{WORD}",
    "of a URL": f"https://me:{WORD}@host.org/x.git",
    "of a URL, the user alone": f"https://{WORD}@host.org/x.git",
    "of a URL, with a slash": f"postgres://me:12/{WORD}@host/db",
    "in a URL's query": f"https://host.org/x?sig={WORD}",
    "a private key": f"{BEGIN}\n{BODY}\n{BODY}\n{LAST}\n{END}\n",
    "a private key in a patch": f"+{BEGIN}\n+{BODY}\n+{LAST}\n+{END}\n",
    "a removed private key": f" {BEGIN}\n-{BODY}\n-{BODY}\n-{LAST}\n {END}\n",
    "a private key without head and end": f" {BODY}\n-{BODY}\n-{LAST}\n",
    "a private key without an end": f"{BEGIN}\nProc-Type: 4,ENCRYPTED\n\n{BODY}\n{LAST}",
    "a private key in one line": f'key = "{BEGIN}\\n{BODY}\\n{LAST}\\n{END}"',
    "a private key in quoted lines": f'"{BEGIN}\\n"\n"{BODY}\\n"\n"{LAST}\\n"\n',
}
SECRETS = (WORD, WORD.upper(), HEX_40, HEX_40[:32], BODY, LAST, "hunter")


def leaks(text):
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_goes_and_its_line_stays(kind):
    text = PLANTED[kind]
    for planted in (text, f"before\n{text}\nafter\n", f"+one = 1\n+{text}"):
        cleaned = redaction.clean_text(planted)
        assert leaks(cleaned) == []
        assert redaction.REMOVED in cleaned or "://" in text
        assert len(cleaned.splitlines()) == len(planted.splitlines())


@pytest.mark.parametrize("kind", PLANTED)
def test_a_secret_in_a_value_of_a_record_goes(kind):
    content = {"title": PLANTED[kind], "tags": [PLANTED[kind]], "deep": {"error": PLANTED[kind]}}
    assert leaks(str(redaction.clean_values(content))) == []


@pytest.mark.parametrize(
    "kind", [kind for kind in PLANTED if "netrc" not in kind and not kind.startswith("unquoted")]
)
def test_a_secret_in_a_program_goes(kind):
    assert leaks(redaction.clean_text(PLANTED[kind], code=True)) == []


def test_a_program_s_comment_is_read_as_text():
    assert leaks(redaction.clean_text(f"+    # password = {WORD}\n", code=True)) == []
    assert leaks(redaction.clean_text(f"password = {WORD}!\n", code=True)) == []


@pytest.mark.parametrize(
    "text",
    [
        f'"sha256": "{SHA256}"',
        f"{SHA256}\n{SHA256[::-1]}\n",
        f"{SHA256}  weights.pth\n",
        f"commit {HEX_40}",
        f'"commit": "{HEX_40}"',
        f"-Subproject commit {HEX_40}",
        f"uses: actions/checkout@{HEX_40}",
        f"https://host.org/tree/{HEX_40}/file",
        f"snapshots/{HEX_40}/weights.pth",
        f"{HEX_40}.pth",
        "index 0a1b2c3..1a2b3c4 100644",
        "tokens = 12345678",
        "max_tokens: 4096",
        "tokenizer = small",
        "token = tokens[0]",
        "secret=read_secret()",
        "password = getpass.getpass()",
        "the author: Jane12",
        "the secret: sharing",
        "train.lr=0.1",
        "QUJD" * 40,
    ],
)
def test_digests_and_plain_words_stay(text):
    assert redaction.clean_text(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "password: SecretStr",
        "self.token = token",
        "if token == other_token:",
        "password = value2",
        "connect(token=token, user=1)",
        "def login(password: str, token: str) -> None:",
        'headers = {"Authorization": f"Bearer {token}"}',
        'url = f"https://{host}/x"',
    ],
)
def test_plain_code_stays(line):
    assert redaction.clean_text(f"+{line}\n", code=True) == f"+{line}\n"


def test_a_record_s_digests_stay_though_they_look_like_keys():
    content = {
        "git": {"commit": HEX_40},
        "parents": [{"sha256": SHA256, "seal": SHA256}],
        "recipe": SHA256,
        "metrics": [{"value": 0.5, "n": 3, "digest": HEX_40}],
    }
    assert redaction.clean_values(content) == content


def test_a_line_of_a_hundred_kilobytes_is_cleaned_at_once():
    parts = ("a", "token", "a_token_", "eyJ", "token = ", "x://", " ", "0", "password: ", BEGIN)
    parts += ("bearer ", "Authorization: ", "x://a:", "A/+\n", "machine x ", "local-", "login a ")
    code = "from experiments.redaction import clean_text\n"
    code += f"for part in {parts!r}: clean_text(part * (10**5 // len(part)))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    "argument",
    [
        f"--set=wandb.api_key={WORD}",
        f"--set=tracker.auth={WORD}",
        f"https://{WORD}@host.org/x.git",
        "--set",
        "--token",
        f"WANDB_API_KEY={WORD}",
        f"https://user:{WORD}@host.org/path?token={WORD}",
        f"data.root=https://user:{WORD}@host.org/",
        "ghp_" + WORD * 2,
        f"title=password = {WORD}",
        f"hypothesis=Bearer {WORD}",
    ],
)
def test_no_secret_of_the_command_line_is_kept(argument):
    argv = ["thesis", "run", argument]
    if argument == "--token":
        argv.append(WORD)
    if argument == "--set":
        argv.append(f"tracking.password={WORD}")
    cleaned = redaction.clean_argv(argv)
    assert WORD not in " ".join(cleaned)
    assert cleaned[:2] == ("thesis", "run")


@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_command_line_can_be_cleaned(argv):
    assert len(redaction.clean_argv(argv)) == len(argv)


def test_plain_arguments_stay():
    argv = ["thesis", "run", "v1", "--set", "train.lr=0.1", "model.weights=C:\\w\\a.pth", "a=b/c"]
    assert redaction.clean_argv(argv) == tuple(argv)
