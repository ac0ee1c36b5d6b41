"""`touchline config`: every setting, its value, and where the value came from."""

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra import config, home
from infra.sections import SECTIONS, refuse_unknown, section_class


def main(argv: Sequence[str] | None = None) -> int:
    """Print all sections, or one."""
    parser = config.parser("touchline config", "Every setting, its value, and where the value came from.")
    parser.add_argument("section", nargs="?", choices=list(SECTIONS), help="only this section")
    parser.add_argument("--docs", action="store_true", help="say what each setting means")
    args = parser.parse_args(argv)
    place = home.from_args(args)
    file = config.config_file(args.config, os.environ)
    refuse_unknown(config.read_file(file) if file else {}, os.environ, str(file))
    for section in [args.section] if args.section else SECTIONS:
        sys.stdout.write("\n".join(describe(section, args.config, place, with_docs=args.docs)) + "\n\n")
    return 0


def describe(section: str, file: Path | None, place: home.Home, *, with_docs: bool = False) -> list[str]:
    """The lines of one section."""
    cls = section_class(section)
    resolved: config.Resolved[Any] = config.resolve(section, cls, file=file, home=place)
    lines = [f"[{section}]"]
    for field in dataclasses.fields(cls):
        if with_docs:
            lines.append(f"# {config.field_docs(cls).get(field.name, '')}")
        value = getattr(resolved.value, field.name)
        # A secret is shown as set or not set, never as what it is.
        shown = repr(value) if field.repr else ("(set)" if value else "(not set)")
        lines.append(f"{field.name} = {shown}  # {resolved.sources[field.name]}")
    return lines
