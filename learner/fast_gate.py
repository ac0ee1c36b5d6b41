"""The fast gate: seconds after training, is there anything plainly wrong with these weights?"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from infra import weight_signing
from infra.registry import PolicyRegistry, PolicyVersion
from infra.weight_signing import Trust
from learner.candidate import HELD_OUT_TAG
from learner.trial import Attempt, Scene
from policy import checkpoint
from policy.batch import ObservationBatch, frame_shape
from policy.errors import ConfigError, WeightsRejected
from policy.flow import Guidance
from policy.policy import Policy
from policy.schema import Float32
from policy.statistics import wilson_interval


@dataclasses.dataclass(frozen=True, kw_only=True)
class FastGateConfig:
    """What a candidate must show before a robot runs it."""

    num_episodes: int = 8
    """Simulated episodes to wait for; 0 asks for none, where no evaluator runs."""
    wait_s: float = 120.0
    """After so long without them the judge says so, and waits on."""
    max_error_ratio: float = 2.0
    """Held-out error over the champion's: corrections move a policy away from demonstrations somewhat."""
    max_drift_ratio: float = 3.0
    """Held-out error over the base's: many promotions, each a little worse than the last, add up."""

    def __post_init__(self) -> None:
        if self.num_episodes < 0 or min(self.max_error_ratio, self.max_drift_ratio) < 1:
            raise ConfigError("num_episodes must not be negative, max_error_ratio and max_drift_ratio at least 1")


def flaw_of_weights(
    registry: PolicyRegistry, version: PolicyVersion, directory: Path, *, spec_id: str, trust: Trust | None = None
) -> str:
    """What is wrong with the files, in words; empty where nothing is.

    Args:
        registry: where they are.
        version: the candidate.
        directory: where to put them.
        spec_id: the body that they must be for; empty accepts any.
        trust: whose weights are looked at; None takes whatever the registry has (tests).
    """
    try:
        policy = checkpoint.load(weight_signing.fetch(registry, version, directory, trust))
    except WeightsRejected as error:
        return str(error)
    if spec_id and spec_id not in (policy.spec.spec_id,):
        return f"for another embodiment: {policy.spec.spec_id}, the fleet's is {spec_id}"
    if policy.spec.spec_id != version.spec_id:
        return f"says it is for embodiment {version.spec_id}, and is for {policy.spec.spec_id}"
    return "" if np.isfinite(warm_up(policy, Guidance())).all() else "its actions are not finite"


def flaw_of_error(
    candidate: PolicyVersion, champion: PolicyVersion | None, base: PolicyVersion | None, config: FastGateConfig
) -> str:
    """What is wrong with its error on held-out demonstrations, in words; empty where nothing is."""
    return flaw_of_losses(
        _held_out(candidate),
        champion=_held_out(champion) if champion else math.nan,
        base=_held_out(base) if base else math.nan,
        config=config,
    )


def flaw_of_losses(ours: float, *, champion: float, base: float, config: FastGateConfig) -> str:
    """The same from the losses themselves; NaN where one is not known."""
    for whose, theirs, ratio in (
        ("champion", champion, config.max_error_ratio),
        ("base", base, config.max_drift_ratio),
    ):
        if not (math.isnan(theirs) or ours <= ratio * theirs):
            return f"held-out error {ours:.4f} against the {whose}'s {theirs:.4f}, {ratio:g} times it at most"
    return ""


def flaw_of_episodes(ours: Mapping[Scene, Attempt], theirs: Mapping[Scene, Attempt]) -> str:
    """What its first simulated episodes show against it in any task, in words; empty where nothing."""
    tasks = dict.fromkeys(task for task, _ in ours)
    flaws = ((task, _flaw_in_task(_of_task(ours, task), _of_task(theirs, task))) for task in tasks)
    return next((f"{flaw} in {task}" for task, flaw in flaws if flaw), "")


def _of_task(attempts: Mapping[Scene, Attempt], task: str) -> dict[Scene, Attempt]:
    return {scene: attempt for scene, attempt in attempts.items() if scene[0] == task}


def _flaw_in_task(ours: Mapping[Scene, Attempt], theirs: Mapping[Scene, Attempt]) -> str:
    num_ours, num_theirs = len(ours), len(theirs)
    successes = sum(attempt.is_success for attempt in ours.values())
    if num_ours and not num_theirs and not successes:
        return f"none of its {num_ours} simulated episodes succeeded"
    champion = wilson_interval(sum(attempt.is_success for attempt in theirs.values()), num_theirs)
    interval = wilson_interval(successes, num_ours)
    if interval.high < champion.low:
        return f"{successes} of {num_ours} simulated episodes succeeded, the champion's rate is {champion.estimate:.0%}"
    return ""


def _held_out(version: PolicyVersion) -> float:
    return float(version.tags.get(HELD_OUT_TAG, "nan"))


def warm_up(policy: Policy, guidance: Guidance) -> Float32:
    """One chunk from nothing in particular, float32[1, H, A]: what is to act gives finite ones."""
    spec = policy.spec
    nothing = ObservationBatch(
        frames=np.zeros((1, *frame_shape(spec)), np.uint8),
        state=np.zeros((1, len(spec.state)), np.float32),
        tactile=np.zeros((1, len(spec.tactile)), np.float32),
        instructions=[""],
    )
    return policy.sample_chunks(nothing, guidance=guidance, generator=torch.Generator(policy.device))
