"""Weights that may act: loaded, verified, tried once; the bridge from robots' observations to a `Policy`.

Made by `weight_sync.py` and by evaluation, used by the inference thread.
"""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from actor.inference import Seed
from infra import registry
from infra.registry import PolicyVersion
from infra.weight_signing import Trust
from policy import checkpoint
from policy.batch import ObservationBatch
from policy.errors import WeightsRejected
from policy.flow import Guidance, Reference
from policy.policy import Policy
from policy.schema import Float32, Observation
from policy.spec import EmbodimentSpec


@dataclasses.dataclass(frozen=True, kw_only=True)
class ActingConfig:
    """How a policy acts."""

    device: str = "auto"
    """cpu, cuda, or auto: a GPU where there is one."""
    guidance_reference: Reference | None = None
    """none, null or negative; empty takes the version's own."""
    guidance_scale: float | None = None
    """Guidance scale w; empty takes the version's own."""

    def guidance(self, tags: Mapping[str, str]) -> Guidance:
        """The guidance for a version with these tags."""
        own = Guidance.from_tags(tags)
        return Guidance(
            reference=self.guidance_reference or own.reference,
            scale=own.scale if self.guidance_scale is None else self.guidance_scale,
        )


class ActingPolicy:
    """One version, ready to act; a `Sampler`."""

    def __init__(self, version: PolicyVersion, policy: Policy, guidance: Guidance) -> None:
        self.version = version
        self.loaded_s = time.monotonic()
        self._policy = policy
        self._guidance = guidance

    @property
    def horizon(self) -> int:
        """Rows of a chunk."""
        return self._policy.config.horizon

    def sample(self, observations: Sequence[Observation], seeds: Sequence[Seed]) -> Float32:
        """float32[B, H, A]; a row's noise depends on its seed alone, not on the batch around it.

        The same observation several times in a row is encoded once.
        """
        shape = (self.horizon, len(self._policy.spec.action))
        noise = [np.random.default_rng(seed).standard_normal(shape, np.float32) for seed in seeds]
        firsts = [n for n, seen in enumerate(observations) if n == 0 or seen is not observations[n - 1]]
        is_once = len(firsts) == len(observations)
        return self._policy.sample_chunks(
            ObservationBatch.stack([observations[n] for n in firsts]),
            guidance=self._guidance,
            noise=np.stack(noise),
            rows=None if is_once else np.searchsorted(firsts, np.arange(len(observations)), side="right") - 1,
        )

    def warm_up(self) -> None:
        """Infer once from nothing in particular, so that the first real chunk is not the slow one.

        Raises:
            WeightsRejected: what comes out is not a finite chunk.
        """
        chunk = self.sample([blank(self._policy.spec)], [(0, 0)])
        if chunk.shape != (1, self.horizon, len(self._policy.spec.action)) or not np.isfinite(chunk).all():
            raise WeightsRejected("the policy does not give finite chunks", version=self.version.version)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Loader:
    """From a checkpoint directory to an `ActingPolicy` of one body."""

    spec: EmbodimentSpec
    config: ActingConfig = ActingConfig()
    trust: Trust | None = None
    """Whose weights may act; None takes whatever the registry has (tests)."""

    def __call__(self, directory: Path, version: PolicyVersion) -> ActingPolicy:
        """Verify, load, warm up.

        Raises:
            WeightsRejected: not signed, cut short, altered, not finite, or of another embodiment.
        """
        if self.trust is not None:
            self.trust.check_weights(version)
        registry.verify(directory, version)
        policy = checkpoint.load(directory, spec=self.spec)
        policy.network.to(self._device())
        acting = ActingPolicy(version, policy, self.config.guidance(version.tags))
        acting.warm_up()
        return acting

    def _device(self) -> torch.device:
        if self.config.device != "auto":
            return torch.device(self.config.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def blank(spec: EmbodimentSpec) -> Observation:
    """An observation of the right shape and of nothing."""
    return Observation(
        frames=tuple(np.zeros((camera.height, camera.width, 3), np.uint8) for camera in spec.cameras),
        state=np.zeros(len(spec.state), np.float32),
        tactile=np.zeros(len(spec.tactile), np.float32),
        instruction="",
        time_ns=0,
    )
