"""What to do about a line that is no reading: what it looks like, and which setting or recipe reads it."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final

from utils.fields import MISSING, Fields, value_at
from utils.text import printable
from utils.values import MessageError

_LOOKED_AT_CHARACTERS: Final = 400
_LOOKED_AT_FIELDS: Final = 200
_DEEPEST: Final = 4
_LONGEST_PATH: Final = 40
_LIKENESS: Final = 0.8

_LINE_PROTOCOL: Final = re.compile(r"[^\s,={}\[\]\"]+(?:,[^\s,=]+=[^\s,=]+)* [^\s,=]+=\S+(?: -?[0-9]+)?\s*")
_TOPIC: Final = re.compile(r"[^\s{}\[\]\",]+ \{")
_CSV: Final = re.compile(r"[^{}\[\]]*?[,;\t][^{}\[\]]*?[,;\t][^{}\[\]]*")
_RECIPES: Final = "README, Your own machines"

# What other people call the fields; letters alone, in lower case.
_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "machine_id": (
        "machineid", "machine", "machinename", "asset", "assetid", "device", "deviceid", "devicename", "equipment",
        "equipmentid", "name", "tag", "id", "host",
    ),
    "temperature": ("temperature", "temp", "tempc", "temperaturec", "tempf", "temperatur", "degc", "degf"),
    "vibration": ("vibration", "vib", "vibrationmms", "vibrms", "vibrationrms", "vrms", "velocity", "rms"),
    "timestamp": ("timestamp", "ts", "time", "datetime", "date", "at", "t"),
    "mode": ("mode", "state", "status", "category"),
}  # fmt: skip


def looks_like(line: str | bytes) -> str:
    """Return what a line that is no JSON object looks like and what reads it, to go behind the reason; or nothing."""
    text = line[:_LOOKED_AT_CHARACTERS]
    if isinstance(text, bytes):
        is_utf_16 = text[:2] in (b"\xff\xfe", b"\xfe\xff") or text.count(b"\0") * 3 > len(text)
        return "; it looks like UTF-16: save it as UTF-8" if is_utf_16 else ""
    if text.count("\0") * 3 > len(text):
        return "; it looks like UTF-16: save it as UTF-8"
    for form, what in (
        (_TOPIC, "a topic before the JSON: leave out -v of mosquitto_sub"),
        (_LINE_PROTOCOL, 'line protocol: set data_format = "json" in Telegraf'),
        (_CSV, "a CSV row: mlr makes JSON lines of it"),
    ):
        if form.match(text) if form is _TOPIC else form.fullmatch(text):
            return f"; it looks like {what} ({_RECIPES})"
    return "; it looks like a JSON array: write one object a line (jq -c '.[]')" if text[:1] == "[" else ""


def missing_error(line: Mapping[str, Any], fields: Fields, fault: str) -> MessageError:
    """Return the error of a line in which values are missing, with the settings that would read it."""
    paths = {
        "machine_id": fields.field_machine_id,
        "temperature": fields.field_temperature,
        "vibration": fields.field_vibration,
    }
    missing = [name for name, path in paths.items() if value_at(line, path) is MISSING]
    said = [name if paths[name] == name else f"{_short(paths[name])} (FIELD_{name.upper()})" for name in missing]
    help_ = [f"FIELD_{name.upper()}={path}" for name in missing if (path := _meant(line, name))]
    wanted = ", ".join(missing[: len(help_)])
    asked = f"; did you mean {wanted}: set {' '.join(help_)}" if help_ else ""
    return MessageError(f"{fault} and no {', '.join(said)}{asked}")


def _meant(line: Mapping[str, Any], name: str) -> str | None:
    """Return the path of the field that is probably meant by a name, or None."""
    by_letters: dict[str, str] = {}
    for path, leaf in islice(_leaves(line, "", _DEEPEST), _LOOKED_AT_FIELDS):
        by_letters.setdefault(re.sub("[^a-z]", "", leaf.lower()), path)
    known = next((by_letters[word] for word in (name.replace("_", ""), *_SYNONYMS[name]) if word in by_letters), None)
    if known is None:
        close = get_close_matches(name.replace("_", ""), by_letters, 1, _LIKENESS)
        known = by_letters[close[0]] if close else None
    return known


def _leaves(inner: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, str]]:
    """Return the path and the name of each value that could be set as a path."""
    for name, value in inner.items():
        path = f"{before}{name}"
        if not name or len(path) > _LONGEST_PATH or not path.isprintable() or " " in path:
            continue
        if isinstance(value, dict):
            if depth > 1:
                yield from _leaves(value, f"{path}.", depth - 1)
        elif not isinstance(value, list):
            yield path, name


def _short(path: str) -> str:
    return printable(path[:_LONGEST_PATH])
