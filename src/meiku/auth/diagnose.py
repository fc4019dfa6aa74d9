"""Why a signature does not match: sign what a mistaken client may have signed, and see which one it was.

A *trial* is a cause, one sentence in two languages, and the text that the client would then have signed. The
first whose signature is the one provided is the finding. The trials are bounded, they are made only for a key
that exists, and nothing that is written here holds a secret key.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from urllib.parse import quote

from meiku import errors
from meiku.auth.cause import Cause, Language
from meiku.auth.credential import same_text

# A V4 key takes four HMACs to derive and a signature one more: 4 + 40 + 4 * 5 are 64 for a refused request.
TRIALS_LIMIT = 40
SECRETS_LIMIT = 4
# A text that is longer is hashed once, to refuse it, and neither tried in other forms nor told in full.
TEXT_LIMIT = 8 * 1024
_SHOWN_CHARACTERS = 300
_STRIPPED = Cause(
    "The client's secret key lacks the white space around it.", "客户端的 SK 缺少首尾的空白字符。"
)
_PLUS_LOST = Cause(
    "The '+' in the client's secret key became a space on its way.", "客户端 SK 中的 '+' 在途中变成了空格。"
)
_ENCODED = Cause(
    "The client signs with the percent-encoded form of its secret key.",
    "客户端用百分号编码后的 SK 签名。",
)

Trial = tuple[Cause, str]
Signer = Callable[[str], Callable[[str], str]]  # secret key -> text -> signature


@dataclass(frozen=True, slots=True)
class Finding:
    """The most likely cause, and the first line where client and server differ if that is known."""

    cause: Cause
    difference: Cause | None = None


def find(
    secret_key: str, *, provided: str, server_text: str, trials: Iterable[Trial], signer: Signer
) -> Finding | None:
    """Try the causes in order; None where none of them yields the provided signature, or where it is long."""
    if len(server_text) > TEXT_LIMIT:
        return None
    sign = signer(secret_key)
    for cause, text in islice(_distinct(trials, server_text), TRIALS_LIMIT):
        if same_text(sign(text), provided):
            return Finding(cause, _difference(text, server_text))
    for cause, other in islice(_other_secrets(secret_key), SECRETS_LIMIT):
        if same_text(signer(other)(server_text), provided):
            return Finding(cause)
    return None


def mismatch(
    finding: Finding,
    *,
    access_key: str,
    provided: str,
    string_to_sign: str,
    language: Language | None,
    canonical_request: str | None = None,
) -> errors.SignatureDoesNotMatch:
    """Write the refusal with all that helps to mend the client."""
    detail = {
        "AWSAccessKeyId": access_key[:_SHOWN_CHARACTERS],
        "StringToSign": _cut(string_to_sign),
        "SignatureProvided": provided[:_SHOWN_CHARACTERS],
        "StringToSignBytes": _hex_pairs(_cut(string_to_sign)),
    }
    if canonical_request is not None:
        detail |= {
            "CanonicalRequest": _cut(canonical_request),
            "CanonicalRequestBytes": _hex_pairs(_cut(canonical_request)),
        }
    detail["LikelyCause"] = finding.cause.told(language)
    if finding.difference is not None:
        # It is held against the texts, by people and by tools: never said twice.
        detail["FirstDifference"] = finding.difference.told(language or "en")
    return errors.SignatureDoesNotMatch(None, headers=None, **detail)


def compare(client_text: str, server_text: str, language: Language | None = "en") -> str | None:
    """Name the first line where two texts differ; None where they are the same."""
    difference = _difference(client_text, server_text)
    return None if difference is None else difference.told(language)


def _difference(client_text: str, server_text: str) -> Cause | None:
    lines = zip_longest(client_text.split("\n"), server_text.split("\n"))
    for number, (client, server) in enumerate(lines, start=1):
        if client != server:
            signed, seen = _shown(client), _shown(server)
            return Cause(
                f"line {number}: client signed {signed.english}, server sees {seen.english}",
                f"第 {number} 行：客户端签的是 {signed.chinese}，服务器看到的是 {seen.chinese}",
            )
    return None


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "…"


def _shown(line: str | None) -> Cause:
    if line is None:
        return Cause("no such line", "没有这一行")
    shown = f"«{line if len(line) <= _SHOWN_CHARACTERS else line[:_SHOWN_CHARACTERS] + '…'}»"
    return Cause(shown, shown)


def _hex_pairs(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex(" ")


def _distinct(trials: Iterable[Trial], server_text: str) -> Iterator[Trial]:
    seen = {server_text}
    for cause, text in trials:
        if text not in seen:
            seen.add(text)
            yield cause, text


def _other_secrets(secret_key: str) -> Iterator[Trial]:
    """Vary the secret as copying does."""
    yield _pasted("a line feed", "换行符"), f"{secret_key}\n"
    if secret_key != secret_key.strip():
        yield _STRIPPED, secret_key.strip()
    if "+" in secret_key:
        yield _PLUS_LOST, secret_key.replace("+", " ")
    if secret_key != quote(secret_key, safe=""):
        yield _ENCODED, quote(secret_key, safe="")
    yield _pasted("a space", "空格"), f"{secret_key} "
    yield _pasted("a carriage return and a line feed", "回车换行符"), f"{secret_key}\r\n"


def _pasted(english: str, chinese: str) -> Cause:
    return Cause(
        f"The client's secret key ends in {english}: it was probably read from a file or pasted with it.",
        f"客户端的 SK 末尾多了{chinese}：多半是从文件读取或粘贴时带上的。",
    )
