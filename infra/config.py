"""Settings: frozen dataclasses beside the class they configure, filled from five places.

Later wins: defaults < the running fleet (`fleet.json`: addresses chosen at start) < TOML file
(`[section]`) < environment (`TOUCHLINE_SECTION__FIELD`) < flags (`--field-name`). A key that no field
has is an error that names the key, where it stands, and the nearest valid name. The file is the one
that --config or TOUCHLINE_CONFIG names, else `touchline.toml` in the working directory if it is there.

The docstring line under each field is the manual and the --help text. A field with `repr=False` is a
secret and is never printed.
"""

import argparse
import ast
import dataclasses
import difflib
import functools
import inspect
import itertools
import os
import textwrap
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from infra import home as homes
from infra.config_values import parse
from policy.errors import ConfigError

T = TypeVar("T")

CONFIG_VARIABLE = "TOUCHLINE_CONFIG"
_PREFIX = "TOUCHLINE_"
_DEFAULT_FILE = Path("touchline.toml")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resolved(Generic[T]):
    """A configuration and where each of its values came from."""

    value: T
    sources: Mapping[str, str]
    """Per field: "default", "fleet.json", the file's path, the variable's name or the flag."""


def load(
    section: str,
    cls: type[T],
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
    home: "homes.Home | None" = None,
) -> T:
    """The settings of one section.

    Args:
        section: name of the TOML table and of the environment prefix.
        cls: a frozen dataclass; its own validation may raise ConfigError.
        file: TOML file; None looks at TOUCHLINE_CONFIG, then at `touchline.toml`.
        environ: None for the process's environment.
        flags: field name to text, from the command line.
        home: whose `fleet.json` gives the addresses of a running fleet; None for none.

    Raises:
        ConfigError: an unknown key, or a value that does not fit its field.
    """
    return resolve(section, cls, file=file, environ=environ, flags=flags, home=home).value


def resolve(
    section: str,
    cls: type[T],
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
    home: "homes.Home | None" = None,
) -> Resolved[T]:
    """As `load`, with the source of every value."""
    environ = os.environ if environ is None else environ
    hints = typing.get_type_hints(cls)
    fields = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
    values: dict[str, Any] = {}
    sources = dict.fromkeys(fields, "default")
    layers = (
        *_fleet_layer(section, home, fields),
        *_file_layer(section, file, environ),
        *_environment_layer(section, environ),
        *((f"--{name.replace('_', '-')}", name, text) for name, text in (flags or {}).items()),
    )
    for source, name, raw in layers:
        if name not in sources:
            raise _unknown_key(section, name, source, fields)
        values[name] = parse(hints[name], raw, key=f"{section}.{name}", source=source)
        sources[name] = source
    return Resolved(value=cls(**values), sources=sources)


def parser(prog: str, description: str) -> argparse.ArgumentParser:
    """An argument parser with the two flags that every command has: --home and --config."""
    result = argparse.ArgumentParser(prog=prog, description=description, allow_abbrev=False)
    result.add_argument("--home", type=Path, help="home directory (TOUCHLINE_HOME, else runs/touchline)")
    result.add_argument("--config", type=Path, help="TOML file (TOUCHLINE_CONFIG, else touchline.toml)")
    return result


def add_flags(parser: argparse.ArgumentParser, section: str, cls: type) -> None:
    """Add one --field-name flag per field; its help is the field's docstring.

    Where another section of the same command has that flag already, it is --section-field-name.
    """
    group = parser.add_argument_group(section)
    docs, hints = field_docs(cls), typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        name = field.name.replace("_", "-")
        settings: dict[str, Any] = {
            "dest": f"{section}.{field.name}",
            "metavar": field.name.upper(),
            "help": docs.get(field.name, "").replace("%", "%%"),
        }
        if hints[field.name] is bool:
            settings |= {"nargs": "?", "const": "true"}
        try:
            group.add_argument(f"--{name}", **settings)
        except argparse.ArgumentError:
            group.add_argument(f"--{section.replace('_', '-')}-{name}", **settings)


def from_args(section: str, cls: type[T], args: argparse.Namespace) -> T:
    """The settings of one section, with the flags that `add_flags` added."""
    prefix = f"{section}."
    flags = {
        name.removeprefix(prefix): text
        for name, text in vars(args).items()
        if name.startswith(prefix) and text is not None
    }
    file = getattr(args, "config", None)
    return load(section, cls, file=file, flags=flags, home=homes.from_args(args))


def config_file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The TOML file that counts, or None where there is none."""
    if file is None and environ.get(CONFIG_VARIABLE):
        file = Path(environ[CONFIG_VARIABLE])
    if file is None and _DEFAULT_FILE.exists():
        file = _DEFAULT_FILE
    return file


def read_file(file: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        ConfigError: it is not there, or not TOML.
    """
    try:
        return tomllib.loads(file.read_text())
    except FileNotFoundError as error:
        raise ConfigError("the configuration file does not exist", path=str(file)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError("the configuration file is not readable TOML", path=str(file), cause=str(error)) from error


@functools.cache
def field_docs(cls: type) -> dict[str, str]:
    """The docstring under each field, in one line."""
    body = typing.cast(ast.ClassDef, ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]).body
    docs = {}
    for field, doc in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(doc, ast.Expr)
            and isinstance(doc.value, ast.Constant)
        ):
            docs[field.target.id] = " ".join(str(doc.value.value).split())
    return docs


def nearest(name: str, valid: list[str]) -> str:
    """The valid name that a person most likely meant; empty where none is near."""
    return next(iter(difflib.get_close_matches(name, valid, n=1, cutoff=0.5)), "")


_Layer = list[tuple[str, str, Any]]
"""(source, field, raw value)."""


def _fleet_layer(section: str, home: "homes.Home | None", fields: list[str]) -> _Layer:
    settings = home.fleet().get("settings", {}).get(section, {}) if home else {}
    # Not a person's words: what an older fleet wrote and we no longer know is passed over.
    return [("fleet.json", name, value) for name, value in settings.items() if name in fields]


def _file_layer(section: str, file: Path | None, environ: Mapping[str, str]) -> _Layer:
    file = config_file(file, environ)
    if file is None:
        return []
    table = read_file(file).get(section, {})
    if not isinstance(table, dict):
        raise ConfigError(f"[{section}] must be a table", path=str(file))
    return [(str(file), name, value) for name, value in table.items()]


def _environment_layer(section: str, environ: Mapping[str, str]) -> _Layer:
    prefix = f"{_PREFIX}{section.upper()}__"
    return [
        (variable, variable.removeprefix(prefix).lower(), text)
        for variable, text in environ.items()
        if variable.startswith(prefix)
    ]


def _unknown_key(section: str, name: str, source: str, fields: list[str]) -> ConfigError:
    meant = nearest(name, fields)
    hint = f"did you mean {meant!r}?" if meant else f"valid are: {', '.join(fields)}"
    return ConfigError(f"unknown setting {section}.{name} in {source}; {hint}")
