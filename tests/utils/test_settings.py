from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.efficiency import Limits
from utils.errors import PipelineError
from utils.fields import Fields
from utils.settings import (
    Config,
    ConfigError,
    all_settings,
    make_config,
    read_settings,
    setting_names,
    settings_sources,
)

NUMBERS = [setting for setting in all_settings() if "low" in setting.metadata]
BOUNDED = [(setting.name.upper(), setting.metadata["low"], setting.metadata["high"]) for setting in NUMBERS]


def env_file(folder: Path, text: str | bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# Where a setting comes from


def test_without_any_setting_all_are_defaults(tmp_path: Path) -> None:
    assert read_settings(tmp_path / ".env", {}) == {}
    assert make_config({}) == Config()
    assert Config().limits == Limits()


def test_the_environment_counts_more_than_the_env_file(tmp_path: Path) -> None:
    path = env_file(tmp_path, "PRODUCER_MACHINES=5\nPRODUCER_INTERVAL_S=0.5\n")
    settings = read_settings(path, {"PRODUCER_MACHINES": "6"})
    assert settings == {"PRODUCER_MACHINES": "6", "PRODUCER_INTERVAL_S": "0.5"}
    config = make_config(settings)
    assert (config.producer_machines, config.producer_interval_s) == (6, 0.5)


def test_without_a_given_environment_it_is_that_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STALE_AFTER_S", "12.5")
    assert make_config(read_settings(tmp_path / ".env")).stale_after_s == 12.5


def test_of_the_environment_only_settings_are_taken(tmp_path: Path) -> None:
    path = env_file(tmp_path, "SOMETHING_ELSE\n")
    assert read_settings(path, {"HOME": "/root", "live_file": "x"}) == {}


def test_a_name_in_the_env_file_that_is_no_setting_is_kept_to_be_told_of_but_sets_nothing(tmp_path: Path) -> None:
    settings = read_settings(env_file(tmp_path, "SOMETHING_ELSE=1\n"), {})
    assert settings == {"SOMETHING_ELSE": "1"}
    assert make_config(settings) == Config()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("LIVE_FILE=a b.json", "a b.json"),
        ("LIVE_FILE='a b.json' # comment", "a b.json"),
        ('export LIVE_FILE="ä.json"', "ä.json"),
        ("# LIVE_FILE=x\nLIVE_FILE=y", "y"),
        ("\r\nLIVE_FILE=y\r\n", "y"),
        ("\ufeffLIVE_FILE=y", "y"),
    ],
)
def test_the_env_file_may_have_quotes_comments_and_any_end_of_line(tmp_path: Path, text: str, value: str) -> None:
    assert read_settings(env_file(tmp_path, text), {}) == {"LIVE_FILE": value}


@pytest.mark.parametrize("empty", ["", "  ", "\t"])
@pytest.mark.parametrize("name", setting_names())
def test_an_empty_value_means_the_default(name: str, empty: str) -> None:
    assert make_config({name: empty}) == Config()


def test_the_default_written_out_is_the_default() -> None:
    written = {
        setting.name.upper(): "" if setting.default is None else str(setting.default) for setting in all_settings()
    }
    assert make_config(written) == Config()


def test_an_env_file_that_is_no_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = env_file(tmp_path, b"LIVE_FILE=\xff\xfe")
    with pytest.raises(ConfigError, match=r"cannot read the settings in .*; save it as UTF-8") as caught:
        read_settings(path, {})
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("THEME=DARK\n\n  LIVE FILE=x\n", 3),
        ("# comment\r\nLIVE_FILE: x\r\n", 2),
        ("LIVE_FILE=x\n\n\nTHEME='DARK\n", 4),
        ("LIVE_FILE=x\nTHEME\n", 2),
        ("=x", 1),
    ],
)
def test_a_line_of_the_env_file_that_is_no_setting_is_told_with_its_number(
    tmp_path: Path, text: str, line: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = env_file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_settings(path, {})
    assert str(caught.value) == (
        f"{path}, line {line}, is no setting; write NAME=value, close each quote, begin a comment with #"
    )
    assert caplog.text == ""


def test_a_wrong_value_is_told_with_the_place_that_it_came_from(tmp_path: Path) -> None:
    path = env_file(tmp_path, "PRODUCER_MACHINES=5\nSTALE_AFTER_S=4,5\n")
    environ = {"PRODUCER_MACHINES": "many"}
    settings = read_settings(path, environ)
    sources = settings_sources(settings, path, environ)
    assert sources == {"PRODUCER_MACHINES": "in the environment", "STALE_AFTER_S": f"in {path}"}
    with pytest.raises(ConfigError, match=r"PRODUCER_MACHINES \(in the environment\) is 'many'"):
        make_config(settings, sources)
    with pytest.raises(ConfigError, match=r"STALE_AFTER_S \(in .*\.env\) is '4,5'; .*; use a dot, not a comma"):
        make_config(settings | {"PRODUCER_MACHINES": "5"}, sources)


def test_where_the_values_of_other_peoples_lines_stand_is_a_setting() -> None:
    config = make_config({"FIELD_TEMPERATURE": "fields.temp", "MODE_ALIASES": "Run=active", "DEFAULT_MODE": "Idle"})
    assert config.fields == Fields(field_temperature="fields.temp", mode_aliases="Run=active", default_mode="IDLE")


def test_an_env_file_that_cannot_be_opened_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = env_file(tmp_path, "LIVE_FILE=x")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ConfigError, match="Permission denied") as caught:
        read_settings(path, {})
    assert str(path) in str(caught.value)


def test_a_folder_in_the_place_of_the_env_file_is_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert read_settings(tmp_path / ".env", {}) == {}


# What a setting may be


@pytest.mark.parametrize("text", ["°X", "°", "m/s", "in/min", "%", "1"])
def test_a_unit_that_is_not_known_is_no_path(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config({"FIELD_TEMPERATURE_UNIT": text})
    assert str(caught.value) == (
        f"setting FIELD_TEMPERATURE_UNIT is {text!r}; expected a unit that is known "
        "(C, °C, celsius, F, °F, fahrenheit), or where it stands, a dotted path"
    )


@pytest.mark.parametrize("text", ["in/s", "IPS", "tags.unit", "unit", "meta/unit", "Einheit_Ä", "tags.0"])
def test_a_unit_that_is_known_or_the_path_to_one_is_a_setting(text: str) -> None:
    assert make_config({"FIELD_VIBRATION_UNIT": text}).fields.field_vibration_unit == text


@pytest.mark.parametrize(("name", "low", "high"), BOUNDED)
def test_a_number_may_be_anything_in_its_bounds(name: str, low: float, high: float) -> None:
    for value in (low, high):
        try:
            make_config({name: str(value)})
        except ConfigError as error:
            assert str(error).startswith("settings contradict each other"), error  # noqa: PT017 - or no error at all


@pytest.mark.parametrize(("name", "low", "high"), BOUNDED)
@pytest.mark.parametrize("wrong", ["twelve", "1,5", "nan", "1e999", "below", "above", "0x10", "1 2", "\0", "٣x"])
def test_a_wrong_number_ends_in_an_error_that_names_it_and_what_is_allowed(
    name: str, low: float, high: float, wrong: str
) -> None:
    text = {"below": str(low - 1), "above": str(high + 1)}.get(wrong, wrong)
    with pytest.raises(ConfigError) as caught:
        make_config({name: text})
    message = str(caught.value)
    assert message.startswith(f"setting {name} is {text!r}; expected a ")
    assert f"from {low:,} to {high:,}" in message
    assert message.isprintable()


@pytest.mark.parametrize("name", [setting.name.upper() for setting in all_settings() if setting.type is float])
def test_a_number_may_have_a_fraction(name: str) -> None:
    setting: Any = next(setting for setting in NUMBERS if setting.name.upper() == name)
    fraction = "0.35" if setting.metadata["high"] == 1 else str(abs(setting.default - 0.25))
    assert make_config({name: fraction}) != Config()


def test_a_whole_number_has_no_fraction() -> None:
    with pytest.raises(ConfigError, match=r"PRODUCER_MACHINES is '2\.5'; expected a whole number from 1 to 100,000"):
        make_config({"PRODUCER_MACHINES": "2.5"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [("LIVE_FILE", "file"), ("DATABASE_FILE", "file"), ("SNAPSHOT_FILE", "file"), ("LOG_DIR", "folder")],
)
def test_a_path_without_meaning_is_refused(name: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=rf"setting {name} is 'a\\x00b'; expected the path of a {expected}"):
        make_config({name: "a\0b"})


def test_the_log_may_be_in_any_folder_but_a_file_needs_a_name() -> None:
    assert make_config({"LOG_DIR": "/"}).log_dir == Path("/")
    with pytest.raises(ConfigError, match="setting LIVE_FILE is '/'; expected the path of a file"):
        make_config({"LIVE_FILE": "/"})


def test_a_home_folder_of_nobody_is_refused() -> None:
    with pytest.raises(ConfigError, match="setting LIVE_FILE is '~nobody-of-this-name/x'; expected a path; there is"):
        make_config({"LIVE_FILE": "~nobody-of-this-name/x"})


@pytest.mark.parametrize("text", ["debug", "DEBUG", " Debug "])
def test_a_log_level_is_named_in_any_case(text: str) -> None:
    assert make_config({"LOG_LEVEL": text}).log_level == "DEBUG"


def test_a_wrong_log_level_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="LOG_LEVEL is 'LOUD'; expected one of DEBUG, INFO, WARNING, ERROR"):
        make_config({"LOG_LEVEL": "LOUD"})


@pytest.mark.parametrize("text", ["9" * 100_000, "\U000e0001" * 100, "\0" * 60])
def test_of_a_wrong_value_no_more_than_200_characters_are_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config({"PRODUCER_MACHINES": text})
    value = str(caught.value).removeprefix("setting PRODUCER_MACHINES is ").partition("; expected ")[0]
    assert len(value) == 200
    assert value.isprintable()
    assert value[0] == value[-1] == "'"


def test_the_flag_that_gave_a_wrong_value_is_named() -> None:
    settings = {"PRODUCER_MACHINES": "none", "LOG_LEVEL": "INFO"}
    with pytest.raises(ConfigError, match=r"setting PRODUCER_MACHINES \(--machines\) is 'none'"):
        make_config(settings, {"PRODUCER_MACHINES": "--machines"})
    with pytest.raises(ConfigError, match="setting PRODUCER_MACHINES is 'none'"):
        make_config(settings, {"LOG_LEVEL": "--log-level"})


def test_numbers_of_the_rule_are_settings() -> None:
    config = make_config({"TEMPERATURE_SAFE_MAX_C": "95", "VIBRATION_SAFE_MAX_MM_S": "7.1"})
    assert config.limits == Limits(temperature_safe_max_c=95.0, vibration_safe_max_mm_s=7.1)


def test_settings_that_contradict_each_other_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="contradict") as caught:
        make_config({"TEMPERATURE_WARM_C": "95"})
    assert "TEMPERATURE_WARM_C=95 is above TEMPERATURE_SAFE_MAX_C=90" in str(caught.value)


@given(st.sampled_from(setting_names()), st.text())
def test_any_text_is_a_value_or_a_config_error(name: str, text: str) -> None:
    try:
        config = make_config({name: text})
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 - or no error at all
    else:
        assert isinstance(config, Config)


def test_a_config_error_is_one_that_a_person_is_told() -> None:
    assert issubclass(ConfigError, PipelineError)


def test_a_config_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().log_level = "DEBUG"  # type: ignore[misc]


def test_every_setting_has_a_name_of_its_own_and_a_meaning() -> None:
    names = setting_names()
    assert len(names) == len(set(names)) == len(all_settings())
    for setting in all_settings():
        assert setting.metadata["meaning"]
        if setting in NUMBERS and setting.default is not None:
            assert setting.metadata["low"] <= setting.default <= setting.metadata["high"]
