"""Passwords, keys and tokens taken out of whatever a record keeps.

A record is made to be shown: to a supervisor, in a repository, for ever. Every text that enters
one passes through here. Digests stay: a record without its sha256 would prove nothing. Where a
line may be either, the secret is assumed: a lost word costs less than a lost password.

Repetitions are bounded throughout: a line of a megabyte must not take a minute.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

REMOVED = "[removed]"
SECRET_NAME = re.compile(
    r"(?i)(token|secret|passw|passphrase|pwd|mdp|mot[-_]?de[-_]?passe|credential|api[-_.]?key"
    r"|auth(?!or)|access[-_.]?key|private[-_.]?key)"
)
"""What an option, a variable or a file that holds a secret is called."""
_TOKEN = re.compile(
    r"(?:gh[pousr]_\w{16,255}|github_pat_\w{20,255}|gl(?:pat|ptt|dt|rt|cbt)-[\w-]{16,255}"
    r"|hf_\w{20,255}|(?:sk|rk|pk)[-_](?:[a-z]{2,5}[-_])?[\w-]{16,255}"
    r"|(?:xox[abeprs]|xapp)-[\w-]{10,255}"
    r"|(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[0-9A-Z]{16}|AIza[\w-]{30,60}|ya29\.[\w-]{20,400}"
    r"|wandb_v\d_\w{20,255}|local-[0-9a-f]{40}|npm_\w{30,60}|pypi-[\w-]{40,400}"
    r"|dckr_pat_[\w-]{20,60}|SG\.[\w-]{16,60}\.[\w-]{16,80}|AGE-SECRET-KEY-\w{20,80}"
    r"|eyJ[\w-]{10,400}\.[\w-]{10,4000}\.[\w-]{0,4000})"
)
"""Shapes that only tokens have: GitHub, GitLab, Hugging Face, OpenAI, Stripe, Slack, AWS, Google,
W&B, npm, PyPI, Docker, SendGrid, age, JSON Web Tokens."""
_HEX_40 = re.compile(r"(?<![0-9A-Za-z/_.@-])[0-9a-f]{40}(?![0-9A-Za-z/_-]|\.\w)")
"""W&B's older keys, and git's commits."""
_COMMIT = re.compile(
    r"(?i)(?:commit|rev|revision|sha-?1?|ref|hash|digest|tree|blob|checksum|git|fingerprint|head)"
    r"[\"']?[ \t]{0,4}[:=]{0,2}[ \t]{0,4}[\"']?$"
)
"""What stands before 40 hex digits that are no key."""
_STRONG = (
    r"passw(?:or)?ds?|passphrases?|passwd|pwd|mdp|mot[ _-]de[ _-]passe|api[-_. ]?keys?"
    r"|private[-_. ]?key|access[-_. ]?key|credentials?"
)
"""Names that mean a secret in any sentence."""
_NAME = rf"(?:{_STRONG}|token(?!iz)|secret)"
_AFTER = r"[\"'\])]{0,3}[ \t]{0,8}(?::[ \t]{0,4}[\w.]{1,30}[ \t]{0,4}=|[:=]>?|==|,)[ \t]{0,8}"
_QUOTED = re.compile(
    rf"(?i)({_NAME}[\w.-]{{0,40}}{_AFTER}[rbfu]{{0,2}})(\\?[\"'])(?![$<{{*])"
    rf"(?:(?!\2)[^\n]){{4,400}}\2"
)
_KEY_HEX = re.compile(r"(?i)(\bkey[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?)[0-9a-f]{32,64}\b")
"""Kaggle's: `"key": "…"`."""
_BARE = re.compile(
    rf"(?i)((?:(?P<strong>{_STRONG})|token(?!iz)|secret)[\w.-]{{0,40}}[\"']?"
    r"[ \t]{0,8}(?P<sign>[:=])(?![:=>])[ \t]{0,8})(?P<value>[^\s\"'`$<{*\[(][^\n\"'`]{3,200})"
)
_EXPRESSION = re.compile(r"[A-Za-z_][\w.]*[(\[]|[A-Za-z_]\w*\.[A-Za-z_]")
"""A call, an index or an attribute: it names a secret and holds none."""
_HARMLESS = re.compile(
    r"(?i)(?:true|false|null|none|yes|no|str|int|bool|bytes|string|secretstr|required|optional)\b"
)
_HEADER = re.compile(
    r"(?i)(authorization[\"']?[ \t]{0,8}[:=,][ \t]{0,8}[\"']?"
    r"(?:(?:bearer|basic|token|digest|negotiate|apikey)[ \t]{1,8})?)(?![{$<\[])[^\s\"']{4,4000}"
)
_BEARER = re.compile(
    r"(?i)\b(bearer[ \t]{1,8})(?=[^\s\"']{0,200}\d|[^\s\"']{24})[^\s\"'{}$<\[]{6,4000}"
)
_COOKIE = re.compile(r"(?i)\b((?:set-)?cookie[\"']?[ \t]{0,4}:[ \t]{0,4})[^\n\"']{4,4000}")
_LOGIN = re.compile(
    r"(?<!\S)((?:-u|--user|--proxy-user)[ =][^\s:]{1,100}:|sshpass[ \t]+-p[ \t]{0,4})\S{2,200}"
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s'\"]+")
_USER = re.compile(r"(?<=://)[^\s/:@]{0,100}:[^\s@]{1,400}@")
_HOOK = re.compile(r"(hooks\.slack\.com/)\S+|(discord(?:app)?\.com/api/webhooks/)\S+")
_NETRC = re.compile(r"\b(?:machine[ \t]{1,8}\S{1,200}|default)[ \t]{1,8}(?:login|password)\b")
_NETRC_ALONE = re.compile(
    r"^[+ -]?[ \t]{0,20}(?:login[ \t]{1,8}\S{1,200}[ \t]{1,8})?password[ \t]{1,8}\S{1,400}\s*$"
)
_NETRC_VALUE = re.compile(r"(\bpassword[ \t]{1,8})\S+")
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_IN_LINE = re.compile(
    rf"({_KEY_BEGINS.pattern})(?:[^\n-]|-(?!----)){{1,20000}}({_KEY_ENDS.pattern})"
)
_KEY_LINE = re.compile(
    r"^([+ -]?[ \t]{0,40}[\"'#*]{0,3}[ \t]{0,8})([A-Za-z0-9+/=]{1,200})([\"'\\n,)+]{0,6})\s*$"
)
_KEY_HEADER = re.compile(r"^[+ -]?[ \t]{0,40}(?:(?:Proc-Type|DEK-Info|Comment|Version|Hash)\b|$)")
_COMMENT = re.compile(r"^[+ -]?[ \t]*(?:#|//|\*|--|;|%)")
KEY_WIDTHS = (64, 70, 76)
"""Characters in a line of an encoded key; two such lines make one although its head is missing."""
DIGEST_KEYS = ("sha256", "sha1", "digest", "commit", "seal", "fingerprint", "code", "recipe")
"""Keys of a record whose hexadecimal digits are evidence."""


def clean_values(value: Any, key: str = "") -> Any:
    """Return VALUE of KEY, of JSON or YAML, with every text in it cleaned; the rest as it is."""
    if isinstance(value, dict):
        return {name: clean_values(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(clean_values(inner, key) for inner in value)
    if not isinstance(value, str) or not value:
        return value
    if re.fullmatch(rf"(?i)[\w.-]*{_NAME}", key) and value != REMOVED:
        return REMOVED
    return clean_text(value, commits=key in DIGEST_KEYS)


def clean_argv(argv: Sequence[str]) -> tuple[str, ...]:
    """Return ARGV without what looks like a password or token."""
    cleaned: list[str] = []
    hide_next = False
    for argument in argv:
        if hide_next and not argument.startswith("-"):
            cleaned.append(REMOVED)
            hide_next = False
            continue
        name, equals, _ = argument.rpartition("=") if "=" in argument else (argument, "", "")
        secret = bool(SECRET_NAME.search(name)) and not _is_path(name)
        hide_next = secret and not equals and argument.startswith("-")
        cleaned.append(f"{name}={REMOVED}" if secret and equals else clean_text(argument))
    return tuple(cleaned)


def clean_text(text: str, *, code: bool = False, commits: bool = False) -> str:
    """Return TEXT with tokens, keys, the credentials of URLs and assigned secrets taken out.

    Lines stay lines, so that a patch still applies. In CODE an unquoted word after `password =` is
    a variable; elsewhere it is the password. COMMITS: 40 hex digits are no key here.
    """
    text = _URL.sub(lambda match: clean_url(match[0]), _clean_key_bodies(text))
    text = _TOKEN.sub(REMOVED, text)
    for pattern in (_HEADER, _BEARER, _COOKIE, _LOGIN, _KEY_HEX):
        text = pattern.sub(rf"\g<1>{REMOVED}", text)
    text = _QUOTED.sub(rf"\g<1>\g<2>{REMOVED}\g<2>", text)
    text = "".join(_clean_line(line, code=code) for line in text.splitlines(keepends=True))
    return text if commits else _HEX_40.sub(_without_key, text)


def clean_url(url: str) -> str:
    """Return URL without user, password and query, which may hold tokens."""
    try:
        parts = urlsplit(_USER.sub("", url))
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return REMOVED
    if not parts.scheme or not parts.netloc:
        return _TOKEN.sub(REMOVED, url)
    path = _TOKEN.sub(REMOVED, parts.path)
    cleaned = urlunsplit((parts.scheme, f"{host}{port}", path, "", ""))
    return _HOOK.sub(lambda match: f"{match[1] or match[2]}{REMOVED}", cleaned)


def _clean_line(line: str, *, code: bool) -> str:
    """Take unquoted secrets out of LINE."""
    if _NETRC.search(line) or _NETRC_ALONE.match(line):
        line = _NETRC_VALUE.sub(rf"\g<1>{REMOVED}", line)
    in_code = code and not _COMMENT.match(line)
    return _BARE.sub(lambda match: _without_bare(match, in_code=in_code), line)


def _without_bare(match: re.Match[str], *, in_code: bool) -> str:
    """Return what MATCH of _BARE becomes: an expression of code stays, a literal goes."""
    before, value = match[1], match["value"]
    first = value.split()[0].rstrip(",;)}]")
    if _HARMLESS.match(value) or _EXPRESSION.match(value) or _is_count(before, first):
        return match[0]
    mixed = any(sign.isdigit() for sign in first) and any(sign.isalpha() for sign in first)
    if in_code and not (mixed and (len(first) >= 8 or not first.isidentifier())):
        return match[0]
    if match["strong"]:  # a passphrase has several words
        if before.lower().lstrip().startswith("pwd") and _is_path(first):
            return match[0]
        end = re.search(r",\s|[;}\])]\s*$", value)
        rest = value[end.start() :] if end else value[len(value.rstrip()) :]
        return f"{before}{REMOVED}{rest}"
    if match["sign"] == ":" and first.isalpha():  # "its secret: sharing" is a sentence
        return match[0]
    return f"{before}{REMOVED}{value[len(first) :]}"


def _is_count(before: str, value: str) -> bool:
    """Whether VALUE is a number of tokens."""
    return "token" in before.lower() and value.replace("_", "").isdigit() and len(value) <= 12


def _without_key(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 40) : match.start()].rpartition("\n")[2]
    return match[0] if _COMMIT.search(before) else REMOVED


def _clean_key_bodies(text: str) -> str:
    """Take the bodies of private keys out of TEXT, with the prefixes of a patch or without."""
    if "PRIVATE KEY" not in text and not re.search(r"[A-Za-z0-9+/]{64}", text):
        return text
    lines = _KEY_IN_LINE.sub(rf"\g<1>{REMOVED}\g<2>", text).splitlines(keepends=True)
    bodies = [_KEY_LINE.match(line.rstrip("\r\n")) for line in lines]
    inside = False
    for number, (line, body) in enumerate(zip(lines, bodies, strict=True)):
        if _KEY_BEGINS.search(line) or _KEY_ENDS.search(line):
            inside = not _KEY_ENDS.search(line)
            continue
        following = bodies[number + 1] if number + 1 < len(bodies) else None
        begins = _is_encoded(body) and _is_encoded(following)
        inside = begins or (inside and bool(body or _KEY_HEADER.match(line)))
        if inside and body:
            lines[number] = line.replace(body[2], REMOVED, 1)
    return "".join(lines)


def _is_encoded(body: re.Match[str] | None) -> bool:
    """Whether BODY, a match of _KEY_LINE, is as wide as a line of a key, and no digest."""
    if body is None or len(body[2]) not in KEY_WIDTHS:
        return False
    return not re.fullmatch(r"[0-9a-fA-F]+|(.)\1*", body[2])


def _is_path(name: str) -> bool:
    return "/" in name or "\\" in name
