"""The policy of an upload form: read it, and judge every condition before the first byte of the file.

A policy that is not understood in full is refused: a condition that were skipped would be an open door.
Whether it was signed, and by whom, is judged in `form_claim`.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from meiku import errors
from meiku.auth import clock
from meiku.auth.rules import SignatureRules

SIZE_LIMIT_BYTES = 20 * 1024
# Longer ones are rare, and 128 of them would take much memory.
_REMEMBERED_LENGTH = 4096
_LENGTH_LIMIT_BYTES = 1 << 60
_UNCOVERED_ALLOWED = frozenset({"awsaccesskeyid", "signature", "x-amz-signature", "file", "policy", "submit"})
_URL_SAFE = str.maketrans("-_", "+/")
_RANGE = "content-length-range"
_S3_RULES = SignatureRules()
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
# What S3 lets a policy escape beside JSON's own escapes.
_ESCAPES = {"\\$": "$", "\\v": "\\u000b"}
_ESCAPE = re.compile(r"\\.", re.DOTALL)
# They can only narrow what is taken: bytes that do not fit them are refused.
_DIGESTS = ("x-amz-checksum-", "content-md5")


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """How one condition, or one field that no condition names, fared."""

    condition: str
    field: str
    value: str | None
    expected: str
    met: bool


@dataclass(frozen=True, slots=True)
class LengthRange:
    """How large the file may be, both ends included."""

    minimum_bytes: int
    maximum_bytes: int


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one field; `kind` is eq or starts-with, `source` the JSON that it was written as."""

    kind: str
    field: str
    operand: str
    source: str

    def met_by(self, value: str | None) -> bool:
        """Tell whether a field's value fulfils it; a field that was not sent fulfils nothing."""
        if value is None:
            return False
        if self.kind == "eq":
            return value == self.operand
        if self.field == "content-type":
            return all(part.strip().startswith(self.operand) for part in value.split(","))
        return value.startswith(self.operand)

    @property
    def expected(self) -> str:
        """Say in words what the field must be."""
        return self.operand if self.kind == "eq" else f"begins with {self.operand!r}"


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy that was understood in full."""

    expires_at_s: float
    conditions: tuple[Condition, ...]
    length_range: LengthRange | None


def check_policy(
    fields: Mapping[str, str], *, bucket: str, now_s: float, rules: SignatureRules = _S3_RULES
) -> LengthRange | None:
    """Judge the form's policy against its fields and answer how large the file may be; names all failures.

    `fields` has lower-case names, and `key` as it will be stored.
    """
    document = _document(fields.get("policy", ""))
    check_expiry(document, now_s)
    rules.check_lifetime(document.expires_at_s - now_s)
    results = evaluate_policy(document, fields, bucket=bucket)
    if not all(result.met for result in results):
        raise errors.AccessDenied(
            f"Invalid according to Policy: {'; '.join(failures(results))}",
            Conditions=[_detail(result) for result in results],
        )
    return document.length_range


def _document(field: str) -> PolicyDocument:
    """Read a policy field; a page sends the same one with every file."""
    return _remembered(field) if len(field) <= _REMEMBERED_LENGTH else read_policy(decode_policy(field))


@lru_cache(128)
def _remembered(field: str) -> PolicyDocument:
    return read_policy(decode_policy(field))


def check_expiry(document: PolicyDocument, now_s: float) -> None:
    """Refuse a policy whose time is over."""
    if document.expires_at_s <= now_s:
        raise errors.AccessDenied(
            "Invalid according to Policy: Policy expired.",
            Expires=clock.written(document.expires_at_s),
            ServerTime=clock.written(now_s),
        )


def evaluate_policy(
    document: PolicyDocument, fields: Mapping[str, str], *, bucket: str | None
) -> list[ConditionResult]:
    """Judge each condition and each field that none names; without a bucket, none is judged on it.

    The bucket is a field too: a policy that names none would be good for every bucket of its signer.
    """
    results = [_judged(condition, fields, bucket) for condition in document.conditions]
    return [*results, *_uncovered(document, fields, bucket)]


def decode_policy(text: str) -> str:
    """Decode a form's policy field: base64 of either alphabet, line breaks and all."""
    compact = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    if len(compact) > SIZE_LIMIT_BYTES * 4 // 3 + 1:
        raise errors.InvalidPolicyDocument(f"The policy is larger than {SIZE_LIMIT_BYTES} bytes.")
    try:
        return b64decode(compact + "=" * (-len(compact) % 4), validate=True).decode()
    except ValueError:
        raise errors.InvalidPolicyDocument("Invalid Policy: it is not base64 of UTF-8 text.") from None


def read_policy(text: str) -> PolicyDocument:
    """Read the policy's JSON; what is not a condition or an expiration, at the top level, is ignored."""
    document = _json(text)
    if not isinstance(document, dict):
        raise _fault("it must be a JSON object")
    conditions = document.get("conditions")
    if not isinstance(conditions, list):
        raise _fault("it needs a list of conditions")
    ranges = [_length_range(item) for item in conditions if _kind(item) == _RANGE]
    others = [_condition(item) for item in conditions if _kind(item) != _RANGE]
    return PolicyDocument(_expiration(document.get("expiration")), tuple(others), _narrowest(ranges))


def _json(text: str) -> object:
    plain = _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[0], escape[0]), text)
    try:
        return json.loads(plain, parse_constant=_refused_constant, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise _fault("it is not valid JSON") from None


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that is given twice: a reader of the policy could take either for what counts."""
    read = dict(pairs)
    if len({name.lower() for name in read}) != len(pairs):
        raise _fault("a name is given twice in it")
    return read


def _refused_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def _expiration(value: object) -> float:
    if not isinstance(value, str):
        raise _fault("it needs an expiration, as 2030-01-01T00:00:00Z")
    try:
        moment = datetime.fromisoformat(value) if _MOMENT.fullmatch(value) else None
    except ValueError:
        moment = None
    if moment is None:
        raise _fault("its expiration must be written as 2030-01-01T00:00:00Z")
    return moment.timestamp()


def _kind(item: object) -> str:
    """Tell a condition's kind; the object form is always an exact match."""
    if isinstance(item, list) and item and isinstance(item[0], str):
        return item[0].lower()
    return "eq"


def _condition(item: object) -> Condition:
    source = _source(item)
    if isinstance(item, dict) and len(item) == 1:
        ((name, operand),) = item.items()
        return Condition("eq", *_texts(name, operand, source), source=source)
    if not isinstance(item, list) or len(item) != 3 or _kind(item) not in ("eq", "starts-with"):
        raise _fault(f"a condition is not understood: {_printable(source)}")
    _, name, operand = item
    if not isinstance(name, str) or not name.startswith("$"):
        raise _fault(f"a condition's field must begin with '$': {_printable(source)}")
    return Condition(_kind(item), *_texts(name[1:], operand, source), source=source)


def _source(item: object) -> str:
    try:
        return json.dumps(item, ensure_ascii=False)
    except RecursionError:
        raise _fault("a condition is nested too deeply") from None


def _texts(name: object, operand: object, source: str) -> tuple[str, str]:
    if not isinstance(name, str) or not isinstance(operand, str) or _printable(source) != source:
        raise _fault(f"a condition's field and value must be text: {_printable(source)}")
    return name.lower(), operand


def _length_range(item: object) -> LengthRange:
    if not isinstance(item, list) or len(item) != 3:
        raise _fault(f"a {_RANGE} takes a minimum and a maximum")
    minimum, maximum = _size(item[1]), _size(item[2])
    if minimum > maximum:
        raise _fault(f"the minimum of its {_RANGE} is larger than the maximum")
    return LengthRange(minimum, maximum)


def _size(value: object) -> int:
    size = clock.count_of(value) if isinstance(value, str) else value
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _LENGTH_LIMIT_BYTES:
        raise _fault(f"the ends of its {_RANGE} must be whole numbers of bytes")
    return size


def _narrowest(ranges: Sequence[LengthRange]) -> LengthRange | None:
    if not ranges:
        return None
    return LengthRange(max(r.minimum_bytes for r in ranges), min(r.maximum_bytes for r in ranges))


def _judged(condition: Condition, fields: Mapping[str, str], bucket: str | None) -> ConditionResult:
    on_bucket = condition.field == "bucket"
    value = bucket if on_bucket else fields.get(condition.field)
    met = condition.met_by(value) or (on_bucket and bucket is None)
    return ConditionResult(condition.source, condition.field, value, condition.expected, met)


def _uncovered(
    document: PolicyDocument, fields: Mapping[str, str], bucket: str | None
) -> Iterator[ConditionResult]:
    named = {condition.field for condition in document.conditions}
    for field, value in fields.items():
        if field not in named and not _may_be_uncovered(field):
            yield ConditionResult("", field, value, "a condition that names this field", False)
    if not any(condition.field == "bucket" and condition.operand for condition in document.conditions):
        yield ConditionResult("", "bucket", bucket, "a condition that names the bucket", False)


def _may_be_uncovered(field: str) -> bool:
    return field in _UNCOVERED_ALLOWED or field.startswith(("x-ignore-", *_DIGESTS))


def failures(results: Sequence[ConditionResult]) -> Iterator[str]:
    """List what is not met, in S3's words."""
    for result in results:
        if not result.met and result.condition:
            yield f"Policy Condition failed: {result.condition}"
    extra = [result.field for result in results if not result.met and not result.condition]
    if extra:
        yield f"Extra input fields: {', '.join(extra)}"


def _detail(result: ConditionResult) -> dict[str, str]:
    return {
        "Condition": result.condition,
        "Field": result.field,
        "Value": result.value or "",
        "Expected": result.expected,
        "Met": str(result.met).lower(),
    }


def _printable(source: str) -> str:
    """Drop lone surrogates, which JSON can escape and UTF-8 cannot hold."""
    return source.encode("utf-8", "replace").decode()


def _fault(reason: str) -> errors.InvalidPolicyDocument:
    return errors.InvalidPolicyDocument(f"Invalid Policy: {reason}.")
