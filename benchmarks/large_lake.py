"""A replay over a million steps: `python -m benchmarks large_lake [--steps N]`.

The lake grows in ten parts. One process follows it from the first, as a learner does, and says after each part what
memory it takes that no file backs; the decoded steps themselves lie in mapped files, whose pages the system takes back
when it needs them. Then a learner whose ring holds a tenth of the lake starts anew, on the first part alone and on all
of it: what a start costs must depend on the ring and not on the lake. Pictures are two of 8x8, because it is the
number of steps and episodes that is asked about.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.figures import Figure, publish
from benchmarks.lake_data import episode
from benchmarks.lake_reader import LakeReader
from benchmarks.replay_robots import spec_of
from infra import wire
from infra.topics import EPISODES, STEPS
from policy.schema import Episode
from storage.tables import Lake
from storage.writer import TableWriter

SPEC = spec_of("large-lake", num_cameras=2, side=8, rate_hz=20.0)
_EPISODE_STEPS = 80
_NUM_PARTS = 10
_EPISODES_PER_COMMIT = 100


class Filler:
    """Writes episodes as ingest does, in larger commits."""

    def __init__(self, lake: Lake) -> None:
        self._steps, self._episodes = TableWriter(lake, STEPS), TableWriter(lake, EPISODES)
        pixels = np.random.default_rng(0).integers(0, 255, (50, 8 * 8 * 3), np.uint8)
        frames = [picture.tobytes() for picture in pixels]
        steps, _ = episode(0, _EPISODE_STEPS, frames, SPEC)
        self._template = wire.decode(STEPS, wire.encode(steps))
        self._frames, self._number = frames, 0

    def put(self, num_episodes: int) -> None:
        """Some more of them."""
        for first in range(0, num_episodes, _EPISODES_PER_COMMIT):
            count = min(_EPISODES_PER_COMMIT, num_episodes - first)
            self._steps.take(
                0, self._number, pa.Table.from_batches(self._batches(count)).combine_chunks().to_batches()[0]
            )
            ends = [self._end(number) for number in range(self._number, self._number + count)]
            self._episodes.take(0, self._number, wire.decode(EPISODES, wire.encode(ends)))
            self._steps.commit()
            self._episodes.commit()
            self._number += count

    def _batches(self, count: int) -> Iterator[pa.RecordBatch]:
        """The same episode under other names and numbers."""
        for number in range(self._number, self._number + count):
            columns: dict[str, Any] = {
                "episode_id": pa.array([f"e{number}"] * _EPISODE_STEPS),
                "seq": pa.array(np.arange(_EPISODE_STEPS) + number * _EPISODE_STEPS),
            }
            named = [columns.get(field.name, self._template.column(field.name)) for field in self._template.schema]
            yield pa.RecordBatch.from_arrays(named, schema=self._template.schema)

    def _end(self, number: int) -> Episode:
        _, end = episode(number * 4, _EPISODE_STEPS, self._frames, SPEC)
        fields = {"episode_id": f"e{number}", "seq": number, "first_seq": number * _EPISODE_STEPS}
        return Episode(**{**vars(end), **fields})


def measure(num_steps: int) -> tuple[list[dict[str, float]], float, float]:
    """What the follower said after each part; seconds of a start on the first part, and on all."""
    part, said, starts_s = num_steps // _NUM_PARTS // _EPISODE_STEPS, [], []
    capacity = part * _EPISODE_STEPS
    with tempfile.TemporaryDirectory() as lake, LakeReader(lake, SPEC, 2 * num_steps) as follower:
        filler = Filler(Lake(lake))
        for number in range(_NUM_PARTS):
            filler.put(part)
            said.append(follower.refresh())
            print(f"{said[-1]['num_steps']:>9,} steps   {said[-1]['anonymous_bytes'] / 1e6:7.1f} MB", flush=True)
            if number in (0, _NUM_PARTS - 1):
                with LakeReader(lake, SPEC, capacity) as reader:
                    starts_s.append(reader.refresh()["refresh_s"])
    return said, starts_s[0], starts_s[1]


def figures_of(said: Sequence[dict[str, float]], first_s: float, last_s: float) -> list[Figure]:
    """Growth, and the two starts."""
    steps, memory = ([answer[name] for answer in said] for name in ("num_steps", "anonymous_bytes"))
    return [
        Figure(what=f"memory at {steps[0]:,.0f} steps", value=memory[0] / 1e6, unit="MB"),
        Figure(what=f"memory at {steps[-1]:,.0f} steps", value=memory[-1] / 1e6, unit="MB"),
        Figure(
            what="memory, growth a step after the first two tenths",
            value=(memory[-1] - memory[1]) / (steps[-1] - steps[1]),
            unit="B",
            against="24,576 B of pictures in a step with two 64x64 cameras",
            at_most=100.0,
            bounded_by="a line of the index for each episode",
        ),
        Figure(what="start on the first tenth of the lake", value=first_s, unit="s"),
        Figure(what="start on the whole lake, the same ring", value=last_s, unit="s"),
        Figure(
            what="start, whole lake",
            value=last_s / first_s,
            against="its first tenth",
            at_most=2.0,
            bounded_by="the lake's own log and files, which a start lists",
        ),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000, help="in the whole lake")
    parser.add_argument("--quick", action="store_true", help="8,000 steps: to see that it works")
    args = parser.parse_args(argv)
    if args.steps < _NUM_PARTS * _EPISODE_STEPS:
        parser.error(f"--steps must be at least {_NUM_PARTS * _EPISODE_STEPS}: ten episodes of {_EPISODE_STEPS}")
    publish(figures_of(*measure(8_000 if args.quick else args.steps)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
