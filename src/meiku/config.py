"""The settings of one server: every knob with its default, its unit and its sentence.

What lives here: `Settings`, how it is read from the environment, and the list that the settings page is
generated from. What must not: anything that acts on a setting, opens a file, or knows another module.
"""

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, get_args

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

PREFIX = "MEIKU_"
# What people are shown counts by thousands, and so do these names; a letter alone was binary from the first.
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"k": KIB, "kib": KIB, "m": MIB, "mib": MIB, "g": GIB, "gib": GIB, "tib": 1024 * GIB}
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})
_TOKEN_CHARACTERS = 16
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class ConfigError(ValueError):
    """A setting cannot be what it was given; the sentence names it and says what is expected."""


@dataclasses.dataclass(frozen=True, slots=True)
class About:
    """What a setting means: its sentence, its unit, and the least value that makes sense."""

    doc: str
    unit: str = ""
    least: float | None = None


def _available_workers() -> int:
    """Return one worker per processor this process may use, at most eight."""
    return min(len(os.sched_getaffinity(0)), 8)


@dataclasses.dataclass(frozen=True, slots=True)
class Knob:
    """What the settings page says of one setting."""

    name: str
    variable: str
    default: str
    unit: str
    doc: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of a server; a wrong value raises `ConfigError` when the record is made."""

    data_folder: Annotated[Path, About("Folder that holds everything the server keeps.")] = Path("meiku-data")
    data_id: Annotated[
        str | None, About("Id that the data folder must have, as `meiku init` tells it; another is refused.")
    ] = None
    host: Annotated[str, About("Address to listen on; 0.0.0.0 or :: is every network.")] = "127.0.0.1"
    port: Annotated[int, About("Port to listen on; 0 lets the system choose one.", least=0)] = 9000
    workers: Annotated[int, About("Worker processes; 0 is one per processor, at most 8.", least=0)] = 0
    domains: Annotated[
        tuple[str, ...], About("Domains whose sub-domains are buckets; localhost always is one.", "hosts")
    ] = ()
    public_hosts: Annotated[
        tuple[str, ...], About("Hosts that clients sign for when a proxy changes Host.", "hosts")
    ] = ()
    region: Annotated[str, About("Region that the server says it is in.")] = "us-east-1"
    buckets: Annotated[
        tuple[str, ...],
        About("Buckets that are made at the start where they are missing: `photos`, or `site:public-read`."),
    ] = ()
    tls_certificate: Annotated[
        Path | None, About("PEM file with the certificate chain; speaks HTTPS when set.")
    ] = None
    tls_key: Annotated[Path | None, About("PEM file with the certificate's private key.")] = None
    header_limit_bytes: Annotated[
        int, About("Most that a request line and its headers may take.", "bytes", least=KIB)
    ] = 64 * KIB
    header_timeout_s: Annotated[
        float, About("Longest that a client may take to send its headers.", "seconds", least=0.01)
    ] = 20.0
    body_idle_timeout_s: Annotated[
        float, About("Longest that a body may stand still, coming or going.", "seconds", least=0.01)
    ] = 60.0
    body_least_bytes_per_s: Annotated[
        int,
        About("Slowest that a body may arrive, on the average of a minute; 0 is no limit.", "bytes", least=0),
    ] = KIB
    signature_v2: Annotated[
        bool, About("Whether Signature V2 is understood, in requests, URLs and forms.")
    ] = True
    longest_expires_s: Annotated[
        int,
        About("Longest that a presigned URL or form may be valid; 0 is what S3 allows.", "seconds", least=0),
    ] = 0
    document_timeout_s: Annotated[
        float, About("Longest that an XML document or a recipe may take to arrive.", "seconds", least=0.01)
    ] = 60.0
    write_wait_s: Annotated[
        float,
        About("Longest that writes wait for one that does not end, then are refused.", "seconds", least=0.1),
    ] = 5.0
    keep_alive_s: Annotated[int, About("How long an idle connection stays open.", "seconds", least=1)] = 75
    graceful_stop_s: Annotated[
        int, About("How long transfers may go on after a request to stop.", "seconds", least=1)
    ] = 30
    max_connections: Annotated[
        int, About("Most connections at once, shared evenly by the workers.", "connections", least=1)
    ] = 8192
    connections_per_client: Annotated[
        int, About("Most connections from one address, shared alike.", "connections", least=1)
    ] = 2048
    max_uploads: Annotated[
        int, About("Most request bodies received at once, shared alike.", "bodies", least=1)
    ] = 512
    unsent_limit_bytes: Annotated[
        int, About("Most that answers waiting for slow readers may hold, shared alike.", "bytes", least=0)
    ] = 64 * MIB
    inline_limit_bytes: Annotated[
        int, About("Objects up to this size live in the metadata store.", "bytes", least=0)
    ] = 32 * KIB
    max_object_put_bytes: Annotated[
        int, About("Largest object that one request may store.", "bytes", least=0)
    ] = 5 * GIB
    multipart_min_part_bytes: Annotated[
        int, About("Smallest part of a multipart upload, save the last.", "bytes", least=0)
    ] = 5 * MIB
    objects_inherit_bucket_acl: Annotated[
        bool, About("Whether an object without an ACL takes its bucket's.")
    ] = False
    uploads_keep_buckets: Annotated[
        bool, About("Whether a bucket with unfinished uploads counts as not empty, and is not deleted.")
    ] = False
    reserve_bytes: Annotated[
        int, About("Room on the disk that is left free, so that removing still works.", "bytes", least=0)
    ] = 64 * MIB
    sweep_interval_s: Annotated[float, About("Time from one clean-up to the next.", "seconds", least=1)] = (
        600.0
    )
    blob_grace_s: Annotated[
        float, About("How long deleted bytes stay, so that no download is cut.", "seconds", least=0)
    ] = 3600.0
    scrub_interval_s: Annotated[
        float,
        About("Time from one re-reading of all stored bytes to the next; 0 is never.", "seconds", least=0),
    ] = 7 * 24 * 3600.0
    scrub_bytes_per_s: Annotated[
        int, About("Most bytes a second that the re-reading takes from the disk.", "bytes", least=4 * KIB)
    ] = 8 * MIB
    media_source_limit_bytes: Annotated[
        int, About("Largest picture that is processed by URL.", "bytes", least=KIB)
    ] = 20 * MIB
    media_memory_bytes: Annotated[
        int, About("Most memory that processing one picture may take.", "bytes", least=64 * MIB)
    ] = GIB
    media_timeout_s: Annotated[
        float, About("Longest that processing one picture may take.", "seconds", least=1)
    ] = 30.0
    media_cache_bytes: Annotated[
        int, About("Most that kept results of recipes may take; 0 keeps none.", "bytes", least=0)
    ] = GIB
    media_keeps_places: Annotated[
        bool, About("Whether results of recipes keep GPS, XMP, IPTC and makers' notes of their source.")
    ] = False
    strangers_name_styles_only: Annotated[
        bool,
        About("Whether unsigned requests may name a bucket's styles, and no recipe of their own."),
    ] = False
    grants_by_email: Annotated[
        bool, About("Whether ACLs may name users by e-mail address, which tells who has an account.")
    ] = True
    home_page: Annotated[
        str | None,
        About("Address of your own pages; what a browser is shown at the service's root links to it."),
    ] = None
    metrics_token: Annotated[
        str | None, About("Bearer token that `/-/metrics` asks for; without one only loopback may read it.")
    ] = dataclasses.field(default=None, repr=False)
    log_requests: Annotated[bool, About("Whether every request is written to the log.")] = False

    def __post_init__(self) -> None:
        if self.workers == 0:
            object.__setattr__(self, "workers", _available_workers())
        for field in dataclasses.fields(self):
            _check_least(field, getattr(self, field.name))
        self._check_network()
        _check_token(self.metrics_token)
        _check_address(self.home_page)
        _check_id(self.data_id)
        _check_domains(self.domains)

    def _check_network(self) -> None:
        """Raise `ConfigError` when the server could not be reached as it is told to be."""
        if self.port > 65535:
            raise ConfigError(f"port is {self.port}: expected 0 to 65535")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ConfigError("only one of tls_certificate and tls_key is set: expected both or neither")
        if not self.region:
            raise ConfigError("region is empty: expected a name such as us-east-1")

    @property
    def bucket_domains(self) -> tuple[str, ...]:
        """Return the domains in front of which a bucket's name may stand."""
        return (*self.domains, "localhost")

    @property
    def listening_names(self) -> tuple[str, ...]:
        """Return the names that this server has itself, each with its port; first what it listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        named = () if self.host in ("0.0.0.0", "::", "") else (host,)  # noqa: S104 - every network is no name
        names = dict.fromkeys((*named, "127.0.0.1", "localhost", *self.domains[:4]))
        return tuple(f"{name}:{self.port}" for name in names)

    @classmethod
    def from_environment(
        cls,
        overrides: Mapping[str, object] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> Self:
        """Read `MEIKU_<NAME>` variables under `overrides`, whose None values count as not given."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            text = environment.get(variable_of(field.name), "").strip()
            if text:
                values[field.name] = _parse(field, text)
        values.update({name: value for name, value in (overrides or {}).items() if value is not None})
        return cls(**values)

    def as_environment(self) -> dict[str, str]:
        """Write the variables that `from_environment` reads these settings from; empty is not given."""
        names = [field.name for field in dataclasses.fields(self)]
        return {variable_of(name): _text(getattr(self, name)) for name in names}

    @classmethod
    def knobs(cls) -> list[Knob]:
        """List every setting as the settings page shows it."""
        return [_knob_of(field) for field in dataclasses.fields(cls)]


def variable_of(name: str) -> str:
    """Return the environment variable that sets `name`."""
    return PREFIX + name.upper()


def _knob_of(field: "dataclasses.Field[Any]") -> Knob:
    _, about = _declared(field)
    return Knob(
        name=field.name,
        variable=variable_of(field.name),
        default=_show(field.default),
        unit=about.unit,
        doc=about.doc,
    )


def _declared(field: "dataclasses.Field[Any]") -> tuple[object, About]:
    kind, about = get_args(field.type)
    return kind, about


def _show(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in (None, ()) else str(value)


def _text(value: object) -> str:
    """Write a setting's value so that `_parse` reads it back."""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _check_least(field: "dataclasses.Field[Any]", value: Any) -> None:
    _, about = _declared(field)
    # Written this way round so that NaN is refused too.
    if about.least is not None and not value >= about.least:
        raise ConfigError(f"{field.name} is {value}: expected at least {about.least:g} {about.unit}".rstrip())


def _check_token(token: str | None) -> None:
    # The sentence must not hold the token: it is logged.
    if token is not None and not re.fullmatch(rf"[!-~]{{{_TOKEN_CHARACTERS},}}", token):
        raise ConfigError(
            f"metrics_token cannot be used: expected at least {_TOKEN_CHARACTERS} ASCII characters, no spaces"
        )


def _check_address(address: str | None) -> None:
    if address is not None and not re.fullmatch(r"https?://[!-~]+", address):
        raise ConfigError(f"home_page is {address!r}: expected an address such as https://media.example/")


def _check_id(data_id: str | None) -> None:
    if data_id is not None and not re.fullmatch(r"[!-~]{1,64}", data_id):
        raise ConfigError(f"data_id is {data_id!r}: expected up to 64 ASCII characters, no spaces")


def _check_domains(domains: tuple[str, ...]) -> None:
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            raise ConfigError(f"domains holds {domain!r}: expected lower-case host names without a port")


def _parse(field: "dataclasses.Field[Any]", text: str) -> Any:
    """Turn a variable's text into the setting's type, or raise `ConfigError`."""
    kind, about = _declared(field)
    parse, expected = _PARSERS[about.unit if about.unit in _PARSERS else kind]
    try:
        return parse(text)
    except ValueError:
        raise ConfigError(f"{variable_of(field.name)} is {text!r}: expected {expected}") from None


def parse_size(text: str) -> int:
    """Read a number of bytes such as `65536`, `64KB` (thousands) or `64KiB` (times 1,024)."""
    match = re.fullmatch(r"(\d+)\s*([a-z]*)", text.lower(), re.ASCII)
    if match is None or match[2] not in _UNITS:
        raise ValueError(text)
    return int(match[1]) * _UNITS[match[2]]


def _switch(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise ValueError(text)
    return text.lower() in _YES


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[\s,]+", text) if word)


def _hosts(text: str) -> tuple[str, ...]:
    return _words(text.lower())


_PARSERS: Mapping[object, tuple[Callable[[str], Any], str]] = {
    "bytes": (parse_size, "a number of bytes, such as 65536, 64KB or 5GB (KiB and GiB count by 1,024)"),
    str: (str, "text"),
    str | None: (str, "text"),
    int: (int, "a whole number"),
    float: (float, "a number"),
    bool: (_switch, "true or false"),
    Path: (Path, "a path"),
    Path | None: (Path, "a path"),
    "hosts": (_hosts, "names separated by commas"),
    tuple[str, ...]: (_words, "names separated by commas"),
}
