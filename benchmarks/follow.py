"""What it takes to follow a fleet: `python -m benchmarks follow [--robots N] [--seconds S]`.

Processor time, which a busy machine changes little. Robots at 20 Hz with two 64x64 JPEG cameras fill a lake, two
commits a second as ingest makes them; a replay looks once a second, as a learner's does between two updates. Most of
its work is unpacking pictures, so one picture's way through the codec stands beside it, against that through Pillow.
"""

import argparse
import dataclasses
import functools
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.figures import Figure, publish, ratios, take_turns
from benchmarks.lake_data import SPEC, distinct, episode, pictures
from infra import wire
from infra.topics import EPISODES, STEPS, Topic
from policy.pictures import decode_jpeg, encode_jpeg
from storage.replay import Replay
from storage.tables import Lake
from storage.writer import TableWriter

_EPISODE_STEPS = 80
_STEPS_PER_COMMIT = 10
"""Of one robot: half a second."""
_REPLAY_STEPS = 50_000
_QUALITY = 95
_NUM_PICTURES = 300


class Fleet:
    """Robots whose steps go straight into the tables; each writes the same episode again and again."""

    def __init__(self, lake: Lake, num_robots: int) -> None:
        self._writers = {topic.name: TableWriter(lake, topic) for topic in (STEPS, EPISODES)}
        self._robots = [episode(number, _EPISODE_STEPS, pictures()) for number in range(num_robots)]
        self._num_messages = 0
        self.num_steps = 0

    def work(self, half_second: int) -> None:
        """Commit what the robots did in half a second."""
        number, first = divmod(half_second * _STEPS_PER_COMMIT, _EPISODE_STEPS)
        for robot, (steps, end) in enumerate(self._robots):
            part, first_seq = steps[first : first + _STEPS_PER_COMMIT], number * _EPISODE_STEPS
            own: dict[str, Any] = {"boot_id": f"boot-{robot}", "episode_id": f"e{robot}-{number}"}
            self._take(STEPS, distinct([dataclasses.replace(s, **own, seq=first_seq + s.step_index) for s in part]))
            if part[-1].is_terminal:
                self._take(EPISODES, [dataclasses.replace(end, **own, seq=number)])
        for writer in self._writers.values():
            writer.commit()

    def _take(self, topic: Topic, records: Sequence[object]) -> None:
        num_new = self._writers[topic.name].take(0, self._num_messages, wire.decode(topic, wire.encode(records)))
        self._num_messages += 1
        self.num_steps += num_new if topic is STEPS else 0


def following_s(folder: Path, num_robots: int, duration_s: int) -> list[float]:
    """Processor seconds for 1,000 steps, second by second once episodes end."""
    lake = Lake(str(folder / "lake"))
    fleet, replay, found = Fleet(lake, num_robots), Replay(lake, folder / "replay", SPEC, _REPLAY_STEPS), []
    replay.refresh()
    warm_s = _EPISODE_STEPS // (2 * _STEPS_PER_COMMIT)
    for second in range(warm_s * (1 + duration_s // warm_s)):
        before = fleet.num_steps
        fleet.work(2 * second)
        fleet.work(2 * second + 1)
        took_s = _processor_s(lambda: replay.refresh(makes_room=False))
        found.append(1e3 * took_s / (fleet.num_steps - before))
    replay.close()
    # Episodes end together, so a figure is the mean over one.
    return [float(part.mean()) for part in np.split(np.array(found), len(found) // warm_s)]


def codec_us(num_turns: int) -> dict[str, list[float]]:
    """Microseconds of one picture, turn by turn: ours and Pillow's, both ways."""
    (data, *_), side = pictures(), SPEC.cameras[0].height
    picture = decode_jpeg(data, height=side, width=side)

    def by_pillow() -> bytes:
        sink = io.BytesIO()
        Image.fromarray(picture).save(sink, "JPEG", quality=_QUALITY, subsampling=0)
        return sink.getvalue()

    ways: dict[str, Callable[[], object]] = {
        "unpack": lambda: decode_jpeg(data, height=side, width=side),
        "unpack, Pillow": lambda: np.asarray(Image.open(io.BytesIO(data)).convert("RGB")),
        "pack": lambda: encode_jpeg(picture, _QUALITY),
        "pack, Pillow": by_pillow,
    }

    def mean_us(way: Callable[[], object]) -> float:
        return 1e6 * _processor_s(lambda: [way() for _ in range(_NUM_PICTURES)]) / _NUM_PICTURES

    return take_turns({name: functools.partial(mean_us, way) for name, way in ways.items()}, num_turns)


def _processor_s(work: Callable[[], object]) -> float:
    started_s = time.process_time()
    work()
    return time.process_time() - started_s


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", type=int, default=16, help="robots that fill the lake")
    parser.add_argument("--seconds", type=int, default=20, help="how long they do; a few seconds of work each")
    parser.add_argument("--quick", action="store_true", help="two robots for a moment: to see that it works")
    args = parser.parse_args(argv)
    num_robots, duration_s, num_turns = (2, 4, 1) if args.quick else (args.robots, args.seconds, 5)
    with tempfile.TemporaryDirectory() as folder:
        following = following_s(Path(folder), num_robots, duration_s)
    codec = codec_us(num_turns)
    publish(
        [
            Figure.of(f"following {num_robots} robots, processor time of 1,000 steps", following, unit="s"),
            *(Figure.of(f"a 64x64 picture: {name}", times, unit="us") for name, times in codec.items()),
            Figure.of("unpack", ratios(codec["unpack, Pillow"], codec["unpack"]), against="Pillow, times faster"),
            Figure.of("pack", ratios(codec["pack, Pillow"], codec["pack"]), against="Pillow, times faster"),
        ]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
