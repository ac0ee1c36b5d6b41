"""One setting's raw value (a string, or what TOML made of it) to the type of its field."""

import enum
import types
import typing
from pathlib import Path
from typing import Any

from policy.errors import ConfigError

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


def parse(hint: Any, raw: object, *, key: str, source: str) -> Any:
    """Convert a raw value.

    Args:
        hint: str, int, float, bool, Path, an Enum, a Literal, tuple[X, ...] (comma-separated as
            text), or X | None ("" or "none" as text).
        raw: text, or a TOML value.
        key: section.field, for the message.
        source: where it stands, for the message.

    Raises:
        ConfigError: the value does not fit the type.
    """
    try:
        return _convert(hint, raw)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{key} must be {_describe(hint)}, not {raw!r} (from {source})") from error


def _convert(hint: Any, raw: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if raw is None or (isinstance(raw, str) and raw.lower() in ("", "none")):
            return None
        (hint,) = [option for option in typing.get_args(hint) if option is not types.NoneType]
        return _convert(hint, raw)
    if origin is tuple:
        items = [item.strip() for item in raw.split(",") if item.strip()] if isinstance(raw, str) else raw
        return tuple(_convert(typing.get_args(hint)[0], item) for item in items)
    if origin is typing.Literal:
        matches = [option for option in typing.get_args(hint) if str(option) == str(raw)]
        return matches[0] if matches else _refuse()
    if hint is bool:
        return _boolean(raw)
    return _scalar(hint, raw)


def _scalar(hint: Any, raw: Any) -> Any:
    if isinstance(raw, (bool, list, dict)):
        return _refuse()
    if hint is int:
        return int(raw.replace("_", ""), 0) if isinstance(raw, str) else _whole(raw)
    if hint in (float, Path):
        return hint(raw)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(raw)
    return raw if hint is str and isinstance(raw, str) else _refuse()


def _boolean(raw: Any) -> bool:
    word = str(raw).lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else _refuse()


def _whole(raw: Any) -> int:
    return int(raw) if raw == int(raw) else _refuse()


def _refuse() -> Any:
    raise ValueError


def _describe(hint: Any) -> str:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return "one of " + ", ".join(str(option) for option in typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_describe(option) for option in typing.get_args(hint))
    if origin is tuple:
        return f"a list of {_describe(typing.get_args(hint)[0])}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(str(option.value) for option in hint)
    words = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}
    return words.get(hint, "none")
