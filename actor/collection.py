"""Everyday work: the released weights on new scenes, for ever."""

import hashlib

from actor.chunks import ONCE, ChunkConfig, Sampling
from actor.inference import Inference
from actor.proposer import PolicyProposer
from actor.weight_sync import WeightSync
from actor.work import Assignment
from policy.schema import Episode, SceneSplit, Source
from robots.robot import Robot


class Collection:
    """Hands out one new scene after the other, with the weights released at that moment."""

    is_done = False

    def __init__(
        self,
        weights: WeightSync,
        inference: Inference,
        chunks: ChunkConfig,
        boot: str,
        sampling: Sampling = ONCE,
    ) -> None:
        """`boot` tells this start of the process from every other one."""
        self._weights, self._inference, self._chunks, self._boot = weights, inference, chunks, boot
        self._sampling = sampling
        self._num_started: dict[str, int] = {}

    def next_episode(self, robot_id: str, robot: Robot) -> Assignment | None:
        """The next scene; None until anything was ever released."""
        released = self._weights.released(robot_id)
        if released is None:
            return None
        number = self._num_started.get(robot_id, 0)
        self._num_started[robot_id] = number + 1
        scene_seed = collection_scene(robot_id, self._boot, number)
        return Assignment(
            scene_seed=scene_seed,
            source=Source.ROLLOUT,
            proposer=PolicyProposer(released.policy, self._inference, scene_seed, self._chunks, self._sampling),
            policy_version=released.policy.version.version,
            release_role=released.role,
        )

    def refusal(self, robot_id: str) -> str:
        """What weight sync says."""
        return self._weights.refusal(robot_id)

    def ended(self, episode: Episode) -> None:
        """Nothing to keep: collection does not resume."""


def collection_scene(robot_id: str, boot: str, number: int) -> int:
    """A scene of the collection split that depends on who asks, since when, and how often."""
    split: range = SceneSplit.COLLECT.value
    digest = hashlib.sha256(f"{robot_id}/{boot}/{number}".encode()).digest()
    return split[int.from_bytes(digest[:8]) % len(split)]
