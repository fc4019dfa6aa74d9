"""Settings: safe by default, read strictly from the environment, and clear about what is wrong."""

from pathlib import Path

import pytest

from meiku.config import ConfigError, Settings


def test_the_defaults_are_safe() -> None:
    """Without a word of configuration the server is reached from its own machine only."""
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert 1 <= settings.workers <= 8


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("DATA_FOLDER", "/srv/data", Path("/srv/data")),
        ("PORT", "80", 80),
        ("DOMAINS", "s3.example.com, Media.example.com", ("s3.example.com", "media.example.com")),
        ("HEADER_LIMIT_BYTES", "16KiB", 16384),
        ("HEADER_LIMIT_BYTES", "16KB", 16_000),
        ("MAX_OBJECT_PUT_BYTES", "5GB", 5_000_000_000),
        ("MAX_OBJECT_PUT_BYTES", "1tb", 10**12),
        ("MAX_OBJECT_PUT_BYTES", "5 GiB", 5 << 30),
        ("MAX_OBJECT_PUT_BYTES", "5 G", 5 * 1024**3),
        ("INLINE_LIMIT_BYTES", "0", 0),
        ("HEADER_TIMEOUT_S", "2.5", 2.5),
        ("LOG_REQUESTS", "Yes", True),
        ("OBJECTS_INHERIT_BUCKET_ACL", "0", False),
        ("REGION", " eu-west-1 ", "eu-west-1"),
    ],
)
def test_the_environment_sets_what_it_names(variable: str, text: str, value: object) -> None:
    """`MEIKU_<NAME>` is read as the setting's own type."""
    settings = Settings.from_environment(environment={f"MEIKU_{variable}": text})
    assert getattr(settings, variable.lower()) == value


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("PORT", "http", "a whole number"),
        ("PORT", "65536", "65535"),
        ("PORT", "-1", "at least 0"),
        ("WORKERS", "2.5", "a whole number"),
        ("HEADER_LIMIT_BYTES", "64XB", "64KB"),
        ("HEADER_LIMIT_BYTES", "-1", "number of bytes"),
        ("HEADER_LIMIT_BYTES", "1", "at least 1024"),
        ("HEADER_TIMEOUT_S", "soon", "a number"),
        ("HEADER_TIMEOUT_S", "nan", "at least 0.01 seconds"),
        ("BODY_IDLE_TIMEOUT_S", "0", "at least 0.01 seconds"),
        ("LOG_REQUESTS", "maybe", "true or false"),
        ("DOMAINS", "https://s3.example.com", "host names"),
        ("TLS_KEY", "/key.pem", "both or neither"),
    ],
)
def test_a_wrong_value_is_refused_by_name(variable: str, text: str, expected: str) -> None:
    """The sentence names the setting and says what is expected of it."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment(environment={f"MEIKU_{variable}": text})
    assert variable.lower() in str(caught.value).lower()
    assert expected in str(caught.value)


def test_an_empty_variable_is_no_variable() -> None:
    """Composed deployments pass empty variables for what nobody set."""
    assert Settings.from_environment(environment={"MEIKU_PORT": ""}).port == Settings().port


def test_an_override_beats_the_environment() -> None:
    """A value from the command line wins; None is an option that was not given."""
    environment = {"MEIKU_PORT": "1", "MEIKU_HOST": "::"}
    settings = Settings.from_environment({"port": 2, "host": None}, environment)
    assert (settings.port, settings.host) == (2, "::")


def test_every_setting_has_its_line() -> None:
    """The settings page needs of each a variable, a default and one sentence."""
    knobs = {knob.name: knob for knob in Settings.knobs()}
    assert knobs.keys() == {*Settings.__dataclass_fields__}
    assert all(knob.doc.endswith(".") and knob.default for knob in knobs.values())
    assert knobs["header_limit_bytes"].variable == "MEIKU_HEADER_LIMIT_BYTES"
    assert knobs["header_limit_bytes"].unit == "bytes"
    assert knobs["log_requests"].default == "false"


def test_a_name_with_a_unit_declares_that_unit() -> None:
    """`_bytes` and `_s` mean what they say; a rate's unit is what passes in a second."""
    units = {"bytes": "bytes", "s": "seconds"}
    for knob in Settings.knobs():
        assert knob.unit == units.get(knob.name.removesuffix("_per_s").rpartition("_")[2], knob.unit)
