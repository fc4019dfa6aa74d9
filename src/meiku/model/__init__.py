"""AWS's own description of S3, read once and made ready to route, bind and render from.

The facts of an operation (method, path, query names, headers, XML names, timestamps) stand in botocore's
`service-2.json`, and what S3 lacks stands beside this file in `additions.json`, in the same notation.
Nothing here knows a request, and nobody else reads those files.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from botocore import xform_name

Level = Literal["service", "bucket", "object"]

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# What no request to us can mean: these belong to hosts of their own (Object Lambda's, directory buckets').
NOT_HTTP_ROUTED = {"WriteGetObjectResponse", "ListDirectoryBuckets"}


@dataclass(frozen=True, slots=True)
class Shape:
    """One type of the model: a structure with members, a list of items, or a scalar."""

    name: str
    kind: str
    members: Mapping[str, "Member"] = field(default_factory=dict)
    item: "Shape | None" = None
    item_name: str = "member"
    flattened: bool = False
    timestamp_format: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One named place of a structure: where it travels, under which name, and as what."""

    name: str
    argument: str
    location: str
    wire_name: str
    shape: Shape
    required: bool
    attribute: bool = False
    namespace_prefix: str | None = None
    namespace_uri: str | None = None


@dataclass(frozen=True, slots=True)
class OperationModel:
    """What the model says of one operation."""

    name: str
    method: str
    level: Level
    required_query: Mapping[str, str | None]
    required_headers: tuple[str, ...]
    status: int
    input: Shape
    output: Shape
    payload: str | None
    output_payload: str | None
    root_name: str
    # What the root element declares; None where AWS writes none.
    root_namespace: str | None
    checksum_is_of_body: bool
    deprecated: bool
    # Operations that differ in nothing but the query name that asks for them, with that name: this one among
    # them, or nothing.
    siblings: Mapping[str, str] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """Count the facts that a request must show for this operation to answer it."""
        return 2 * (len(self.required_query) + len(self.required_headers)) - self.deprecated

    @property
    def streaming(self) -> bool:
        """Tell whether the request's body is bytes to store rather than a document to read."""
        return self.payload is not None and self.input.members[self.payload].shape.kind == "blob"


@cache
def operations() -> Mapping[str, OperationModel]:
    """Load every operation that S3 and we have a name for."""
    document = _aws_document()
    additions = json.loads(files(__package__).joinpath("additions.json").read_text(encoding="utf-8"))
    document["shapes"].update(additions["shapes"])
    document["operations"].update(additions["operations"])
    for shape, members in additions["furtherMembers"].items():
        document["shapes"][shape]["members"].update(members)
    siblings = _add_siblings(document, additions["siblings"])
    bare = frozenset(additions["withoutNamespace"])
    reader = _Reader(document["shapes"], additions["rootNames"], bare, siblings)
    return {
        name: reader.operation(name, entry)
        for name, entry in document["operations"].items()
        if name not in NOT_HTTP_ROUTED
    }


def _aws_document() -> dict[str, Any]:
    packed = files("botocore").joinpath("data/s3/2006-03-01/service-2.json.gz").read_bytes()
    document: dict[str, Any] = json.loads(gzip.decompress(packed), object_hook=_without_prose)
    return document


def _without_prose(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is written for people: most of the document, and every process would carry it."""
    if isinstance(entry.get("documentation"), str):
        del entry["documentation"]
    return entry


def _add_siblings(document: dict[str, Any], notation: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Write out, for each query name that has further ones, the operations that these ask for."""
    siblings: dict[str, dict[str, str]] = {}
    for query_name, entry in notation.items():
        for name in entry["operations"]:
            further = {name + suffix: other for suffix, other in entry["further"].items()}
            for sibling, other in further.items():
                _add_sibling(document, name, sibling, query_name, other)
            siblings |= {each: {name: query_name, **further} for each in (name, *further)}
    return siblings


def _add_sibling(document: dict[str, Any], name: str, sibling: str, query_name: str, other: str) -> None:
    """Copy an operation and its input, with another query name in the place of the first's."""
    entry = document["operations"][name]
    shape = document["shapes"][entry["input"]["shape"]]
    members = {
        member: raw | {"locationName": other} if raw.get("locationName") == query_name else raw
        for member, raw in shape["members"].items()
    }
    http = entry["http"] | {"requestUri": entry["http"]["requestUri"].replace(query_name, other)}
    document["shapes"][f"{sibling}Request"] = shape | {"members": members}
    document["operations"][sibling] = entry | {"http": http, "input": {"shape": f"{sibling}Request"}}


class _Reader:
    """Turns the document's entries into shapes and operations, each shape once."""

    def __init__(
        self,
        shapes: Mapping[str, Any],
        root_names: Mapping[str, str],
        without_namespace: frozenset[str],
        siblings: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._raw = shapes
        self._root_names = root_names
        self._without_namespace = without_namespace
        self._siblings = siblings
        self._shapes: dict[str, Shape] = {}

    def operation(self, name: str, entry: Mapping[str, Any]) -> OperationModel:
        path, _, query = entry["http"]["requestUri"].partition("?")
        given, returned = self._structure(entry.get("input")), self._structure(entry.get("output"))
        required = [member for member in given.members.values() if member.required]
        return OperationModel(
            name=name,
            method=entry["http"]["method"],
            level="object" if "{Key+}" in path else "bucket" if "{Bucket}" in path else "service",
            required_query=_fixed_query(query)
            | {m.wire_name: None for m in required if m.location == "querystring"},
            required_headers=tuple(m.wire_name.lower() for m in required if m.location == "header"),
            status=int(entry["http"].get("responseCode", 200)),
            input=given,
            output=returned,
            payload=self._payload(entry.get("input")),
            output_payload=self._payload(entry.get("output")),
            root_name=self._root_names.get(name, returned.name),
            root_namespace=None if name in self._without_namespace else NAMESPACE,
            checksum_is_of_body="httpChecksum" in entry,
            deprecated=bool(entry.get("deprecated")),
            siblings=self._siblings.get(name, {}),
        )

    def _structure(self, reference: Mapping[str, Any] | None) -> Shape:
        return self._shape(reference["shape"]) if reference else Shape("", "structure")

    def _payload(self, reference: Mapping[str, Any] | None) -> str | None:
        return self._raw[reference["shape"]].get("payload") if reference else None

    def _shape(self, name: str) -> Shape:
        if name not in self._shapes:
            self._shapes[name] = self._read_shape(name, self._raw[name])
        return self._shapes[name]

    def _read_shape(self, name: str, raw: Mapping[str, Any]) -> Shape:
        item = raw.get("member") or {}
        required = set(raw.get("required", ()))
        return Shape(
            name=name,
            kind=raw["type"],
            members={n: self._member(n, m, n in required) for n, m in raw.get("members", {}).items()},
            item=self._shape(item["shape"]) if item else None,
            item_name=item.get("locationName", "member"),
            flattened=bool(raw.get("flattened")),
            timestamp_format=raw.get("timestampFormat"),
            choices=tuple(raw.get("enum", ())),
        )

    def _member(self, name: str, raw: Mapping[str, Any], required: bool) -> Member:
        shape = self._shape(raw["shape"])
        namespace = raw.get("xmlNamespace") or self._raw[raw["shape"]].get("xmlNamespace") or {}
        return Member(
            name=name,
            argument=xform_name(name),
            location=raw.get("location", "body"),
            wire_name=raw.get("locationName", name),
            shape=shape,
            required=required,
            attribute=bool(raw.get("xmlAttribute")),
            namespace_prefix=namespace.get("prefix"),
            namespace_uri=namespace.get("uri"),
        )


def _fixed_query(query: str) -> dict[str, str | None]:
    pairs = (part.partition("=") for part in query.split("&") if part)
    return {name: value if separator else None for name, separator, value in pairs}
