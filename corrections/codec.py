"""Frozen dataclasses <-> JSON text, strictly: nothing unknown, nothing missing, nothing unbounded.

`corrections/protocol.py` declares the messages; this file alone knows how one is written and how a
stranger's text is checked. A message is an object with a `type` and exactly the fields of its class.
"""

import dataclasses
import enum
import functools
import json
import math
import types
import typing
from collections.abc import Mapping, Sized
from typing import Any, Protocol

from policy.errors import WireError

MAX_TEXT_CHARS = 16_384
"""Longest string in a message: an embodiment spec as JSON is the longest there is."""
MAX_ITEMS = 4_096
"""Longest list or map in a message."""


class Message(Protocol):
    """Any frozen dataclass with a `TYPE` of its own."""

    TYPE: typing.ClassVar[str]


def encode(message: Message) -> str:
    """The message as one line of JSON.

    Raises:
        WireError: a number in it is not finite.
    """
    try:
        return _dumps({"type": message.TYPE, **_plain(message)})
    except ValueError as error:
        raise WireError("a message holds a number that is not finite", type=message.TYPE) from error


def fragment(part: object) -> str:
    """A part of a message as JSON, so that one that goes to many is written once.

    Args:
        part: a dataclass that came through `decode`, hence finite.
    """
    return _dumps(_plain(part))


def decode(text: str | bytes, allowed: Mapping[str, type[Message]]) -> Message:
    """One message of the `allowed` types, checked to the last field.

    Args:
        text: what came from the socket; bytes are not a message.
        allowed: message classes by their `TYPE`.

    Raises:
        WireError: names what is wrong, so that the sender can mend it.
    """
    if not isinstance(text, str):
        raise WireError("expected a text message, got binary", num_bytes=len(text))
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON", cause=str(error)[:200]) from error
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise WireError("a message is an object with a type")
    cls = allowed.get(fields.pop("type"))
    if cls is None:
        raise WireError("unknown type of message", known=sorted(allowed))
    return typing.cast(Message, _build(cls, fields, cls.TYPE))


def _dumps(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


@functools.cache
def _fields(cls: type) -> Mapping[str, tuple[Any, bool]]:
    """Type and "has no default" of each field."""
    hints = typing.get_type_hints(cls)
    missing = dataclasses.MISSING
    return {
        f.name: (hints[f.name], f.default is missing and f.default_factory is missing) for f in dataclasses.fields(cls)
    }


def _build(cls: type, fields: Any, where: str) -> object:
    if not isinstance(fields, dict):
        raise WireError("expected an object", field=where)
    known = _fields(cls)
    if unknown := sorted(fields.keys() - known.keys()):
        raise WireError("unknown field", field=f"{where}.{unknown[0][:80]}", known=sorted(known))
    values = {}
    for name, (hint, is_required) in known.items():
        if name in fields:
            values[name] = _value(hint, fields[name], f"{where}.{name}")
        elif is_required:
            raise WireError("a field is missing", field=f"{where}.{name}")
    return cls(**values)


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: C901 - one branch per wire type
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, enum.StrEnum):
        if isinstance(value, str) and value in hint.__members__.values():
            return hint(value)
        raise WireError("not one of the known words", field=where, known=[str(m) for m in hint])
    origin = typing.get_origin(hint)
    if origin is tuple:
        return tuple(_value(typing.get_args(hint)[0], item, where) for item in _sized(list, value, where))
    if origin is Mapping:
        items = _sized(dict, value, where)
        return types.MappingProxyType(
            {_value(str, k, where): _value(typing.get_args(hint)[1], v, where) for k, v in items.items()}
        )
    if hint is float and type(value) in (int, float):
        if math.isfinite(number := _to_float(value)):
            return number
    elif hint is int and type(value) is int:
        if abs(value) < 1 << 63:
            return value
    elif hint is str and type(value) is str:
        if len(value) <= MAX_TEXT_CHARS:
            return value
    elif hint is bool and type(value) is bool:
        return value
    raise WireError(f"not a {hint.__name__} within bounds", field=where, got=repr(value)[:80])


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _sized(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        raise WireError(f"expected a {kind.__name__}", field=where)
    num_items = len(typing.cast(Sized, value))
    if num_items > MAX_ITEMS:
        raise WireError("too many items", field=where, num_items=num_items, max_items=MAX_ITEMS)
    return value
