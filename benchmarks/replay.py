"""How fast a batch comes: `python -m benchmarks.replay [--episodes N] [--steps N] [--batch N]`.

The replay ring against drawing the same steps straight from the Delta table (the baseline), and how long it
takes from a commit until its episode can be drawn.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.lake_data import SPEC, episode, pictures
from infra import wire
from infra.topics import EPISODES, STEPS, Topic
from storage.frames import decode_steps
from storage.replay import Replay
from storage.tables import Lake
from storage.writer import TableWriter

_HORIZON = 8
_NUM_BASELINE_BATCHES = 5
_NUM_BATCHES = 300
_NUM_FRESH = 20


class _Filler:
    """Writes episodes as ingest does."""

    def __init__(self, lake: Lake) -> None:
        self._writers = {topic.name: TableWriter(lake, topic) for topic in (STEPS, EPISODES)}
        self._frames = pictures()

    def put(self, number: int, num_steps: int) -> None:
        """One episode in two commits."""
        steps, end = episode(number, num_steps, self._frames)
        self._commit(STEPS, number, steps)
        self._commit(EPISODES, number, [end])

    def _commit(self, topic: Topic, offset: int, records: Sequence[object]) -> None:
        writer = self._writers[topic.name]
        writer.take(0, offset, wire.decode(topic, wire.encode(records)))
        writer.commit()


def from_table(lake: Lake, rng: np.random.Generator, num_episodes: int, num_steps: int, batch_size: int) -> float:
    """Seconds for one batch of random steps, read and decoded from the table."""
    started = time.perf_counter()
    picks = rng.integers(num_episodes, size=batch_size), rng.integers(num_steps, size=batch_size)
    wanted = " OR ".join(f"(episode_id = 'e{e}' AND step_index = {s})" for e, s in zip(*picks, strict=True))
    decode_steps(lake.read(STEPS, where=wanted), SPEC)
    return time.perf_counter() - started


def main(argv: Sequence[str] | None = None) -> int:
    """Print all three figures and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=100, help="episodes in the table")
    parser.add_argument("--steps", type=int, default=80, help="steps of each")
    parser.add_argument("--batch", type=int, default=64, help="steps in a batch")
    args = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(f"{folder}/lake")
        filler = _Filler(lake)
        for number in range(args.episodes):
            filler.put(number, args.steps)
        baseline = [from_table(lake, rng, args.episodes, args.steps, args.batch) for _ in range(_NUM_BASELINE_BATCHES)]
        replay = Replay(lake, Path(folder) / "replay", SPEC, 2 * args.episodes * args.steps)
        started = time.perf_counter()
        replay.refresh()
        filled_s = time.perf_counter() - started
        took = []
        view = replay.view()
        for _ in range(_NUM_BATCHES):
            started = time.perf_counter()
            view.gather(view.draw(rng, args.batch), _HORIZON)
            took.append(time.perf_counter() - started)
        fresh = []
        for number in range(args.episodes, args.episodes + _NUM_FRESH):
            filler.put(number, args.steps)
            started = time.perf_counter()
            assert replay.refresh() == 1
            replay.view()
            fresh.append(time.perf_counter() - started)
        replay.close()
    ours, theirs = statistics.median(took), statistics.median(baseline)
    print(f"fill           {args.episodes * args.steps / filled_s:>10,.0f} steps/s, decoded")
    print(f"from the table {args.batch / theirs:>10,.0f} steps/s   {1e3 * theirs:8.2f} ms a batch of {args.batch}")
    print(f"from the ring  {args.batch / ours:>10,.0f} steps/s   {1e3 * ours:8.2f} ms")
    print(f"ratio ring / table: {theirs / ours:,.0f}")
    print(
        f"an episode of {args.steps} steps can be drawn {1e3 * statistics.median(fresh):.0f} ms after its commit (p50)"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
