"""How fast a batch comes: `python -m benchmarks replay [--episodes N] [--steps N] [--batch N] [--turns N]`.

256 steps with two pictures each and the eight actions that follow: from the replay ring, from other buffers that can be
imported (`replay_peers.py`; PYTHONPATH may name a folder that has them), and straight from the Delta table. Once
with pictures of 64x64 that robots sent raw, once with 128x128 that they sent as JPEG. Everything fits into memory.
Also: how fast a lake is decoded into the ring, and how soon after its commit an episode can be drawn.
"""

import argparse
import contextlib
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.figures import Figure, publish, ratios, take_turns
from benchmarks.lake_data import episode, pictures
from benchmarks.replay_peers import PEERS, Columns, Draw, version_of
from benchmarks.replay_robots import spec_of
from infra import wire
from infra.topics import EPISODES, STEPS, Topic
from policy.spec import EmbodimentSpec
from storage.frames import decode_steps
from storage.replay import Replay
from storage.tables import Lake
from storage.writer import TableWriter

RING, COPY, TABLE = "ring", "its pictures alone", "table"
_HORIZON = 8
_NUM_BATCHES = 10
_NUM_FRESH = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """What robots sent."""

    name: str
    side: int
    is_raw: bool

    @property
    def spec(self) -> EmbodimentSpec:
        """Of a robot that sends it."""
        return spec_of(f"replay-{self.side}", num_cameras=2, side=self.side, rate_hz=20.0)

    def frames(self) -> list[bytes]:
        """Some pictures, as they are on the wire."""
        if not self.is_raw:
            return pictures(side=self.side)
        pixels = np.random.default_rng(0).integers(0, 255, (50, self.side * self.side * 3), np.uint8)
        return [picture.tobytes() for picture in pixels]


KINDS = (Kind(name="64x64 raw", side=64, is_raw=True), Kind(name="128x128 JPEG", side=128, is_raw=False))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """How much of it."""

    num_episodes: int = 50
    episode_steps: int = 80
    batch_size: int = 256
    num_turns: int = 9
    table_share: float = 1 / 8
    """Of a batch, that is read from the table: nobody waits for more."""


class _Filler:
    """Writes episodes as ingest does."""

    def __init__(self, lake: Lake, kind: Kind) -> None:
        self._writers = {topic.name: TableWriter(lake, topic) for topic in (STEPS, EPISODES)}
        self._frames, self._spec = kind.frames(), kind.spec

    def put(self, number: int, num_steps: int) -> None:
        """One episode in two commits."""
        steps, end = episode(number, num_steps, self._frames, self._spec)
        self._commit(STEPS, number, steps)
        self._commit(EPISODES, number, [end])

    def _commit(self, topic: Topic, offset: int, records: Sequence[object]) -> None:
        writer = self._writers[topic.name]
        writer.take(0, offset, wire.decode(topic, wire.encode(records)))
        writer.commit()


def from_table(lake: Lake, spec: EmbodimentSpec, size: Size) -> Draw:
    """A part of a batch, read and decoded from the table, without the actions that follow."""
    rng = np.random.default_rng(0)

    def draw() -> object:
        num_steps = round(size.batch_size * size.table_share)
        episodes = rng.integers(size.num_episodes, size=num_steps)
        steps = rng.integers(size.episode_steps, size=num_steps)
        wanted = " OR ".join(
            f"(episode_id = 'e{e}' AND step_index = {s})" for e, s in zip(episodes, steps, strict=True)
        )
        return decode_steps(lake.read(STEPS, where=wanted), spec)

    return draw


def from_ring(replay: Replay, size: Size) -> Draw:
    """What the learner does."""
    rng, view = np.random.default_rng(0), replay.view()
    return lambda: view.gather(view.draw(rng, size.batch_size), _HORIZON)


def copied(replay: Replay, size: Size) -> Draw:
    """Nothing but the pictures of a batch, from the mapped file into memory: no buffer of this kind does with less."""
    rng, view = np.random.default_rng(0), replay.view()
    return lambda: view.steps.frames[view.draw(rng, size.batch_size)]


def columns_of(replay: Replay, size: Size) -> Columns:
    """The ring's steps, for the others."""
    view = replay.view()
    batch = view.gather(view.step_rows, _HORIZON)
    return Columns(
        frames=batch.frames,
        state=batch.state,
        tactile=batch.tactile,
        actions=batch.actions,
        episode_steps=size.episode_steps,
        rate_hz=replay.spec.control_rate_hz,
    )


def peers(folder: Path, columns: Columns, size: Size) -> Iterator[tuple[str, Draw, int]]:
    """Those that are installed: name, what draws a batch, and how many batches a turn has."""
    for name, peer in PEERS.items():
        own = folder / name
        own.mkdir()
        try:
            yield version_of(peer), peer.fill(own, columns, size.batch_size), peer.num_batches
        except ImportError as error:
            print(f"{name}: not measured, it cannot be imported ({error})", flush=True)


def batch_ms(draw: Draw, num_batches: float) -> Callable[[], float]:
    """Milliseconds of a batch, over several, or by what a part of one takes."""

    def turn() -> float:
        started_s = time.perf_counter()
        for _ in range(max(1, round(num_batches))):
            draw()
        return 1e3 * (time.perf_counter() - started_s) / num_batches

    return turn


def measure(kind: Kind, size: Size) -> list[Figure]:
    """One kind of picture."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        lake = Lake(str(folder / "lake"))
        filler = _Filler(lake, kind)
        for number in range(size.num_episodes):
            filler.put(number, size.episode_steps)
        num_steps = size.num_episodes * size.episode_steps
        replay = Replay(lake, folder / "replay", kind.spec, 2 * num_steps)
        stack.callback(replay.close)
        started_s = time.process_time()
        replay.refresh()
        filled_s = time.process_time() - started_s
        ways = {
            RING: batch_ms(from_ring(replay, size), _NUM_BATCHES),
            COPY: batch_ms(copied(replay, size), _NUM_BATCHES),
        }
        for peer, draw, num_batches in peers(folder, columns_of(replay, size), size):
            ways[peer] = batch_ms(draw, num_batches)
        ways[TABLE] = batch_ms(from_table(lake, kind.spec, size), size.table_share)
        for way in ways.values():
            way()  # caches, and threads that start at the first batch
        found = take_turns(ways, size.num_turns)
        fresh_ms = [_fresh_ms(filler, replay, size.num_episodes + n, size.episode_steps) for n in range(_NUM_FRESH)]
    return [
        *_figures_of(kind, found),
        Figure(what=f"{kind.name}: decoded into the ring", value=num_steps / filled_s, unit="steps/s per core"),
        Figure.of(f"{kind.name}: episode of {size.episode_steps}, from commit to drawable", fresh_ms, unit="ms"),
    ]


def _fresh_ms(filler: _Filler, replay: Replay, number: int, num_steps: int) -> float:
    filler.put(number, num_steps)
    started_s = time.perf_counter()
    num_complete = replay.refresh()
    replay.view()
    assert num_complete == 1
    return 1e3 * (time.perf_counter() - started_s)


def _figures_of(kind: Kind, found: dict[str, list[float]]) -> list[Figure]:
    rows = [Figure.of(f"{kind.name}: a batch, {name}", times, unit="ms") for name, times in found.items()]
    copying = statistics.median(ratios(found[COPY], found[RING]))
    others = {name: times for name, times in found.items() if name not in (RING, COPY, TABLE)}
    if others:
        best = min(others, key=lambda name: statistics.median(others[name]))
        rows.append(
            Figure.of(
                f"{kind.name}: replay",
                ratios(found[best], found[RING]),
                against=f"the best other, {best}",
                at_least=1.0,
                bounded_by=f"copying pictures is {copying:.0%} of a batch",
            )
        )
    return [*rows, Figure.of(f"{kind.name}: replay", ratios(found[TABLE], found[RING]), against="the Delta table")]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures of both kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = Size()
    parser.add_argument("--episodes", type=int, default=defaults.num_episodes, help="episodes in the lake")
    parser.add_argument("--steps", type=int, default=defaults.episode_steps, help="steps of each")
    parser.add_argument("--batch", type=int, default=defaults.batch_size, help="steps in a batch")
    parser.add_argument("--turns", type=int, default=defaults.num_turns, help="how often each buffer is measured")
    parser.add_argument("--quick", action="store_true", help="four short episodes, one turn: to see that it works")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    size = Size(num_episodes=args.episodes, episode_steps=args.steps, batch_size=args.batch, num_turns=args.turns)
    if args.quick:
        size = Size(num_episodes=4, episode_steps=10, batch_size=8, num_turns=1)
    publish([figure for kind in KINDS for figure in measure(kind, size)])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
