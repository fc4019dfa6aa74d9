"""Who an upload form says it is from: the fields that sign its policy, in Version 2 or 4.

The text that is signed is the policy field itself, as it was sent. What the policy says is judged in
`post_policy`.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from meiku import errors
from meiku.auth import clock, diagnose
from meiku.auth.cause import Cause, Language
from meiku.auth.credential import Credential, admit, same_text, signing_key_of
from meiku.auth.suspects import suspect_key
from meiku.signing import signature_v2, signature_v4, signing_key_v4
from meiku.signing.v4 import ALGORITHM_V4

_V2_FIELDS = {"awsaccesskeyid": "AWSAccessKeyId", "signature": "signature"}
_V4_FIELDS = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")


@dataclass(frozen=True, slots=True)
class FormClaim:
    """That the holder of `access_key` signed this policy; `scope` is (date, region) where it did so in V4."""

    access_key: str
    session_token: str | None
    policy: str
    signature: str
    scope: tuple[str, str] | None

    def verify(self, credential: Credential, now_s: float, language: Language | None = None) -> None:
        """Judge the claim; refusals are S3's own."""
        admit(credential, self.session_token, now_s)
        if self.scope is None:
            sign = partial(signature_v2, credential.secret_key)
        else:
            sign = partial(signature_v4, signing_key_of(credential, *self.scope))
        # Some encoders break base64 into lines, and not all transports leave line breaks as they were.
        for text in dict.fromkeys((self.policy, "".join(self.policy.split()))):
            if same_text(sign(text), self.signature):
                return
        raise self._mismatch(credential, language)

    def _signer(self, secret_key: str) -> Callable[[str], str]:
        if self.scope is None:
            return partial(signature_v2, secret_key)
        return partial(signature_v4, signing_key_v4(secret_key, *self.scope))

    def _mismatch(self, credential: Credential, language: Language | None) -> errors.S3Error:
        finding = diagnose.find(
            credential.secret_key,
            provided=self.signature,
            server_text=self.policy,
            trials=_trials(self.policy),
            signer=self._signer,
        )
        return diagnose.mismatch(
            finding
            or self._other_form(credential.secret_key)
            or diagnose.Finding(suspect_key(self.access_key)),
            access_key=self.access_key,
            provided=self.signature,
            string_to_sign=self.policy,
            language=language,
        )

    def _other_form(self, secret_key: str) -> diagnose.Finding | None:
        """Find a signature that is right in itself, but made or written as this version is not."""
        if self.scope is None:
            forms = _other_v2(secret_key, self.policy)
        else:
            forms = _other_v4(signing_key_v4(secret_key, *self.scope), secret_key, self.policy)
        for cause, signature in forms:
            if same_text(signature, self.signature):
                return diagnose.Finding(cause)
        return None


def form_claim_of(fields: Mapping[str, str]) -> FormClaim | None:
    """Read a form's claim, None where it is anonymous; `fields` has lower-case names, empty means absent."""
    sent = {name: value.strip() for name, value in fields.items() if value.strip()}
    in_v4 = any(name in sent for name in _V4_FIELDS)
    in_v2 = any(name in sent for name in _V2_FIELDS)
    if in_v4 and in_v2:
        raise errors.InvalidArgument(
            "The form is signed in two versions; send AWSAccessKeyId and signature, or the x-amz-… fields."
        )
    if not in_v4 and not in_v2 and "policy" not in sent:
        return None
    return _claim_v4(fields, sent) if in_v4 else _claim_v2(fields, sent)


def _claim_v2(fields: Mapping[str, str], sent: Mapping[str, str]) -> FormClaim:
    _require(sent, {"policy": "policy", **_V2_FIELDS})
    return FormClaim(
        access_key=sent["awsaccesskeyid"],
        session_token=sent.get("x-amz-security-token"),
        policy=fields["policy"],
        signature=sent["signature"],
        scope=None,
    )


def _claim_v4(fields: Mapping[str, str], sent: Mapping[str, str]) -> FormClaim:
    _require(sent, {"policy": "policy", **{name: name for name in _V4_FIELDS}})
    if sent["x-amz-algorithm"] != ALGORITHM_V4:
        raise _argument("x-amz-algorithm", sent, f"must be {ALGORITHM_V4}")
    if clock.moment_of_timestamp(sent["x-amz-date"]) is None:
        raise _argument("x-amz-date", sent, "must be in the form 20240102T030405Z")
    access_key, *scope = sent["x-amz-credential"].rsplit("/", 4)
    if len(scope) != 4 or not access_key or scope[2:] != ["s3", "aws4_request"]:
        raise _argument("x-amz-credential", sent, "must be <access key>/<yyyymmdd>/<region>/s3/aws4_request")
    if scope[0] != sent["x-amz-date"][:8]:
        raise _argument("x-amz-credential", sent, "must have the date that x-amz-date has")
    return FormClaim(
        access_key=access_key,
        session_token=sent.get("x-amz-security-token"),
        policy=fields["policy"],
        signature=sent["x-amz-signature"],
        scope=(scope[0], scope[1]),
    )


def _require(sent: Mapping[str, str], names: Mapping[str, str]) -> None:
    missing = [written for name, written in names.items() if name not in sent]
    if missing:
        raise errors.InvalidArgument(
            f"The form must contain {', '.join(names.values())} before its file; "
            f"it has no {', '.join(missing)}.",
            ArgumentName=missing[0],
        )


def _argument(name: str, sent: Mapping[str, str], rule: str) -> errors.S3Error:
    return errors.InvalidArgument(
        f"The form field {name} {rule}.", ArgumentName=name, ArgumentValue=sent[name]
    )


def _trials(policy: str) -> Iterator[diagnose.Trial]:
    """List what the client may have signed instead of the policy field as it was sent."""
    compact = "".join(policy.split())
    decoded = _decoded(compact)
    if decoded is not None:
        yield (
            Cause(
                "The client signed the policy's JSON; what is signed is its base64.",
                "客户端签的是策略的 JSON；应签的是它的 base64。",
            ),
            decoded,
        )
        again = b64encode(decoded.encode()).decode()
        yield (
            Cause(
                "The client signed another base64 of the same policy than it sent.",
                "客户端签的 base64 与发送的不是同一个（策略内容相同）。",
            ),
            again,
        )
        yield (
            Cause(
                "The client signed another base64 of the same policy than it sent.",
                "客户端签的 base64 与发送的不是同一个（策略内容相同）。",
            ),
            again.rstrip("="),
        )
    twice = b64encode(compact.encode()).decode()
    yield (
        Cause(
            "The client encoded the policy in base64 twice before signing it.",
            "客户端在签名前对策略做了两次 base64 编码。",
        ),
        twice,
    )
    broken = Cause(
        "The client signed the policy with a line feed at its end, and sent it without.",
        "客户端签名时策略末尾带有换行符，发送时却没有。",
    )
    yield broken, f"{compact}\n"


def _decoded(compact: str) -> str | None:
    try:
        return b64decode(compact.translate(str.maketrans("-_", "+/")) + "==").decode()
    except ValueError:
        return None


def _other_v2(secret_key: str, policy: str) -> Iterator[diagnose.Trial]:
    key, text = secret_key.encode(), policy.encode()
    digest = hmac.digest(key, text, "sha1")
    yield (
        Cause(
            "The client wrote its signature in hex; V2 wants base64.",
            "客户端把签名写成了十六进制；V2 要求 base64。",
        ),
        digest.hex(),
    )
    again = b64encode(digest.hex().encode()).decode()
    yield (
        Cause(
            "The client took the base64 of the hex digest; V2 wants that of the digest itself.",
            "客户端对十六进制摘要做了 base64；V2 要求对摘要本身做。",
        ),
        again,
    )
    stronger = b64encode(hmac.digest(key, text, "sha256")).decode()
    yield (
        Cause(
            "The client signed with HMAC-SHA256; V2 wants HMAC-SHA1.",
            "客户端用 HMAC-SHA256 签名；V2 要求 HMAC-SHA1。",
        ),
        stronger,
    )
    became_space = b64encode(digest).decode().replace("+", " ")
    yield (
        Cause("The '+' in the signature became a space on its way.", "签名中的 '+' 在途中变成了空格。"),
        became_space,
    )


def _other_v4(signing_key: bytes, secret_key: str, policy: str) -> Iterator[diagnose.Trial]:
    text = policy.encode()
    digest = hmac.digest(signing_key, text, "sha256")
    yield (
        Cause(
            "The client wrote its signature in base64; V4 wants lower-case hex.",
            "客户端把签名写成了 base64；V4 要求小写十六进制。",
        ),
        b64encode(digest).decode(),
    )
    yield (
        Cause(
            "The client wrote its signature in upper case; V4 wants lower-case hex.",
            "客户端把签名写成了大写；V4 要求小写十六进制。",
        ),
        digest.hex().upper(),
    )
    plain = hmac.digest(secret_key.encode(), text, "sha256").hex()
    yield (
        Cause(
            "The client signed with the secret key itself; V4 wants the key derived from it.",
            "客户端直接用 SK 签名；V4 要求用由它派生的密钥。",
        ),
        plain,
    )
    old = signature_v2(secret_key, policy)
    yield (
        Cause(
            "The client signed as V2 does, but sent the fields of V4.",
            "客户端按 V2 签名，却发送了 V4 的字段。",
        ),
        old,
    )
