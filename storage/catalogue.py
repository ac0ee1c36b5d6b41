"""Which episodes of the ring belong to a pin, as a view: the half of replay that names training sets."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.topics import EPISODES, LABELS, STEPS
from policy.errors import LakeError
from storage.episode_index import EpisodeIndex
from storage.pin import DataPin, Offsets
from storage.replay_ring import Ring, RingEntry
from storage.view import EPISODE_DTYPE, View


class Catalogue:
    """Joins the ring's entries with the episodes and labels read so far."""

    def __init__(self, ring: Ring, index: EpisodeIndex, spec_id: str) -> None:
        self._ring = ring
        self._index = index
        self._spec_id = spec_id

    def now(self, offsets: Mapping[str, Offsets], versions: Mapping[str, int]) -> View:
        """All that can be drawn, when everything up to these offsets was read."""
        chosen = self._entries(self._ring.floor, offsets)
        pin = DataPin(
            spec_id=self._spec_id,
            offsets=offsets,
            floor=self._ring.floor,
            num_episodes=len(chosen),
            num_steps=sum(entry.length for entry in chosen),
            versions=versions,
        )
        return self._view(pin, chosen)

    def at(self, pin: DataPin) -> View:
        """The pin's training set, exactly.

        Raises:
            LakeError: it is not here any more, or not yet.
        """
        if pin.floor < self._ring.floor:
            raise LakeError(
                "the pinned episodes gave way to newer ones; open a Replay with pin=...",
                pinned_floor=pin.floor,
                floor=self._ring.floor,
            )
        chosen = self._entries(pin.floor, pin.offsets)
        num_steps = sum(entry.length for entry in chosen)
        if (len(chosen), num_steps) != (pin.num_episodes, pin.num_steps):
            raise LakeError(
                "the pinned set is not whole here; refresh, or raise the capacity. If episodes of it were erased, "
                "it cannot be had any more",
                pinned=(pin.num_episodes, pin.num_steps),
                found=(len(chosen), num_steps),
            )
        return self._view(pin, chosen)

    def _entries(self, floor: int, offsets: Mapping[str, Offsets]) -> list[RingEntry]:
        """Entries above the floor or kept that were read by these offsets, in the order of the episodes topic."""
        last_episode = max(offsets.get(EPISODES.name, {}).values(), default=-1)
        last_steps = offsets.get(STEPS.name, {})
        chosen = [
            entry
            for entry in self._ring.entries.values()
            if (entry.is_kept or floor < entry.kafka_offset)
            and entry.kafka_offset <= last_episode
            and all(offset <= last_steps.get(p, -1) for p, offset in entry.step_offsets.items())
            and entry.episode_id in self._index.episodes
        ]
        return sorted(chosen, key=lambda entry: entry.kafka_offset)

    def _view(self, pin: DataPin, entries: list[RingEntry]) -> View:
        labels = pin.offsets.get(LABELS.name, {})
        rows = [self._row(entry, self._index.outcome(entry.episode_id, until=labels)) for entry in entries]
        episodes: NDArray[Any] = np.array(rows, EPISODE_DTYPE)
        return View(pin=pin, episodes=episodes, steps=self._ring.columns)

    def _row(self, entry: RingEntry, outcome: str) -> tuple[Any, ...]:
        episode = self._index.episodes[entry.episode_id]
        known = {
            "start": entry.start,
            "length": entry.length,
            "operator_id": entry.operator_id,
            "outcome": outcome,
        }
        names = EPISODE_DTYPE.names or ()
        return tuple(known[name] if name in known else getattr(episode, name) for name in names)
