"""`python -m benchmarks.fuzz`: what damaged and hostile bytes do to every decoder that faces a network or the registry.

Each input is a valid message with a few mutations. A decoder may take it or refuse it with the error that it
names in its docstring; anything else is a finding. Also printed: the longest and the heaviest input.
"""

import argparse
import collections
import dataclasses
import enum
import random
import re
import resource
import tempfile
import time
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz_files import file_doors
from corrections import codec, frames, operator_messages, protocol
from infra import signing, wire
from infra.columns import field_types
from infra.roster import Stamp
from infra.topics import TOPICS, Topic
from policy.errors import ConfigError, SchemaError, TouchlineError, WeightsRejected, WireError
from policy.schema import Float32
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from robots.gym_spec import GymSpec
from storage.frames import decode_frame
from storage.pin import DataPin

_CAMERA = CameraSpec(name="scene", height=16, width=16)
_SPEC = EmbodimentSpec(
    name="fuzzed",
    control_rate_hz=20.0,
    state=(ChannelSpec(name="s", unit="m"),),
    tactile=(ChannelSpec(name="t", unit="N"),),
    action=(ChannelSpec(name="a", unit="m", low=-1.0, high=1.0),),
    cameras=(_CAMERA,),
)
_PLAIN: Mapping[object, object] = {
    str: "r1", int: 1, float: 0.5, bool: True, Float32: np.ones(2, np.float32), tuple[bytes, ...]: (b"ab", b"c"),
}  # fmt: skip
_GYM_SPEC = b"""
[environment]
id = "Pendulum-v1"
kwargs = {render_mode = "rgb_array"}
[robot]
name = "pendulum"
task_id = "pendulum"
instruction = "swing up"
control_rate_hz = 20.0
success = "terminated"
state = [""]
hold = [0.0]
[[robot.cameras]]
name = "scene"
height = 64
"""
_VALUE = re.compile(rb'\d+|"[^"\n]*"|\[[^\[\]]*\]|\{[^{}]*\}')
"""Of JSON or TOML."""
_OTHER_VALUES = (
    b"-1",
    b"0",
    b"4096",
    b"1000000",
    b"9" * 12,
    b"9" * 30,
    b"0.5",
    b"1e999",
    b"true",
    b"null",
    b"[]",
    b'"x"',
)
"""In its place: sizes of the kind that take memory, and other types."""
_TOKENS = (b"\x00", b"\xff\xff\xff\x7f", b"\xff" * 8, b"-1", b"1e999", b"NaN", b'""', b"[" * 50, b"{}", b"null")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoder:
    """One door."""

    name: str
    seeds: Sequence[bytes]
    """Valid inputs."""
    decode: Callable[[bytes], object]
    refusal: type[TouchlineError]
    """What it raises for anything else."""


@dataclasses.dataclass(kw_only=True)
class Finding:
    """How one decoder fared."""

    num_inputs: int = 0
    num_taken: int = 0
    longest_s: float = 0.0
    """Of processor time."""
    grown_bytes: int = 0
    """By how much the process's peak memory rose."""
    refusals: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    faults: dict[str, bytes] = dataclasses.field(default_factory=dict)
    """The first input of each error that is not named."""


def decoders() -> list[Decoder]:
    """Every door, with valid inputs."""
    doors = [_wire_door(topic) for topic in TOPICS]
    tables = {
        "robot to gateway": protocol.FROM_ROBOT,
        "gateway to robot": protocol.TO_ROBOT,
        "operator to gateway": operator_messages.FROM_OPERATOR,
        "gateway to operator": operator_messages.TO_OPERATOR,
    }
    doors += [_socket_door(name, table) for name, table in tables.items()]
    picture = frames.jpeg(np.arange(768, dtype=np.uint8).reshape(16, 16, 3))
    pin = DataPin(spec_id="s", offsets={"steps": {0: 3}}, floor=-1, num_episodes=1, num_steps=4, versions={"steps": 5})
    frame = frames.Frame(view=0, camera=0, sequence=1, capture_ns=2, jpeg=picture)
    return [
        *doors,
        Decoder(name="frames.unpack", seeds=[frames.pack(frame)], decode=frames.unpack, refusal=WireError),
        Decoder(
            name="decode_frame", seeds=[picture], decode=lambda data: decode_frame(data, _CAMERA), refusal=SchemaError
        ),
        Decoder(
            name="EmbodimentSpec",
            seeds=[_SPEC.to_json().encode()],
            decode=lambda data: EmbodimentSpec.from_json(_text(data)).spec_id,
            refusal=SchemaError,
        ),
        Decoder(
            name="DataPin",
            seeds=[pin.to_json().encode()],
            decode=lambda data: DataPin.from_json(_text(data)),
            refusal=SchemaError,
        ),
        Decoder(
            name="Stamp",
            seeds=[Stamp(signer="learner", key_id="k1", signature=bytes(64)).to_text().encode()],
            decode=lambda data: Stamp.from_text(_text(data)),
            refusal=SchemaError,
        ),
        Decoder(name="signature headers", seeds=[b"r1|k1|" + bytes(64)], decode=_stamp, refusal=SchemaError),
        Decoder(name="gym spec", seeds=[_GYM_SPEC], decode=_gym_spec, refusal=ConfigError),
        *(
            Decoder(name=name, seeds=[seed], decode=decode, refusal=WeightsRejected)
            for name, seed, decode in file_doors(_SPEC)
        ),
    ]


def fuzz(num_inputs: int, seed: int) -> dict[str, Finding]:
    """Try about so many inputs, the same number at each door; the same seed gives the same inputs."""
    rng = random.Random(seed)
    found = {}
    for door in decoders():
        found[door.name] = _try(door, max(1, num_inputs // len(decoders())), rng)
    return found


def _try(door: Decoder, num_inputs: int, rng: random.Random) -> Finding:
    finding = Finding()
    for valid in door.seeds:
        door.decode(valid)
    peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(num_inputs):
        data = _mutated(rng, door.seeds)
        started_s = time.process_time()
        try:
            door.decode(data)
            finding.num_taken += 1
        except door.refusal as error:
            finding.refusals[str(error).split(" [")[0]] += 1
        except Exception as error:
            finding.faults.setdefault(repr(error)[:200], data)
        finding.longest_s = max(finding.longest_s, time.process_time() - started_s)
        finding.num_inputs += 1
    finding.grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before) * 1024
    return finding


def _mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        other = rng.choice(seeds)
        start = rng.randrange(len(other))
        piece = other[start : start + rng.randint(1, 32)]
        match rng.randrange(9):
            case 0 if place < len(data):
                data[place] ^= 1 << rng.randrange(8)
            case 1 if place < len(data):
                data[place] = rng.randrange(256)
            case 2:
                del data[place : place + rng.randint(1, 16)]
            case 5:
                del data[place:]
            case 6 | 7 if values := list(_VALUE.finditer(data)):
                value = rng.choice(values)
                data[value.start() : value.end()] = rng.choice(_OTHER_VALUES)
            case 3:
                data[place:place] = piece
            case 4:
                data[place : place + len(piece)] = piece
            case _:
                token = rng.choice(_TOKENS)
                data[place : place + len(token)] = token
    return bytes(data)


def _wire_door(topic: Topic) -> Decoder:
    fields = {name: _PLAIN[hint] for name, hint in field_types(topic.record).items()}
    messages = [wire.encode([topic.record(**fields)] * count) for count in (1, 3)]
    return Decoder(
        name=f"wire {topic.name}",
        seeds=messages,
        decode=lambda data: wire.records(topic, wire.decode(topic, data)),
        refusal=WireError,
    )


def _socket_door(name: str, table: Mapping[str, type[codec.Message]]) -> Decoder:
    seeds = []
    for message in table.values():
        try:
            seeds.append(codec.encode(typing.cast(codec.Message, _sample(message))).encode())
        except (KeyError, TouchlineError):
            continue  # a message that only makes sense with other values
    return Decoder(name=name, seeds=seeds, decode=lambda data: codec.decode(_text(data), table), refusal=WireError)


def _sample(hint: Any) -> object:
    """A value of a message's field."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        needed = [f.name for f in dataclasses.fields(hint) if f.default is f.default_factory is dataclasses.MISSING]
        return hint(**{name: _sample(hints[name]) for name in needed})
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if isinstance(hint, types.UnionType):
        return _sample(next(part for part in typing.get_args(hint) if part is not type(None)))
    if typing.get_origin(hint) is tuple:
        return (_sample(typing.get_args(hint)[0]),)
    return {}


def _gym_spec(data: bytes) -> object:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "spec.toml")
        file.write_bytes(data)
        return GymSpec.load(file)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _stamp(data: bytes) -> object:
    names = (signing.SIGNER_HEADER, signing.KEY_HEADER, signing.SIGNATURE_HEADER)
    return signing.stamp_of(dict(zip(names, data.split(b"|", 2), strict=False)))


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line per decoder; 1 if anything but a named error came out of one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    found = fuzz(args.inputs, args.seed)
    print(f"{'decoder':<32}{'inputs':>10}{'taken':>9}{'faults':>8}{'longest ms':>12}{'grown MB':>10}  refusals")
    for name, finding in found.items():
        most = ", ".join(f"{count} {text[:40]}" for text, count in finding.refusals.most_common(3))
        print(
            f"{name:<32}{finding.num_inputs:>10,}{finding.num_taken:>9,}{len(finding.faults):>8}"
            f"{finding.longest_s * 1e3:>12.1f}{finding.grown_bytes / 1e6:>10.1f}  {most}"
        )
        for error, data in finding.faults.items():
            print(f"  {error}\n    {data!r:.400}")
    return int(any(finding.faults for finding in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
