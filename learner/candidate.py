"""Publishing: the candidate's weights, and a record that says what they were made of and why.

The record goes with the weights (`training.json`), into the registry's run (parameters, metrics) and,
as far as others act on it, into the version's tags.
"""

import dataclasses
import json
import logging
import math
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infra import releases, weight_signing
from infra.backoff import Backoff
from infra.credentials import Credential
from infra.ledger import Ledger
from infra.registry import SPEC_TAG, PolicyRegistry, PolicyVersion
from learner.condition_report import ConditionReport, measure_condition
from learner.data import Data
from learner.labels import AUTONOMOUS, USED, Algorithm, Pool
from learner.losses import held_out_loss
from learner.train_state import TrainState
from policy import checkpoint
from policy.errors import RegistryUnavailable
from policy.flow import Guidance

_LOG = logging.getLogger(__name__)
RECORD_FILE = "training.json"
TRAIN_ID_TAG = "train_id"
HELD_OUT_TAG = "held_out_loss"
_LOSS_POINTS = 25


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is published."""

    algorithm: str
    round: int
    train_id: str
    data_pin: str
    guidance: Guidance
    mix: str
    """What batches were made of, in words."""
    steps: Mapping[str, int]
    """Steps learned from, per pool, and those whose goal alone is learned."""
    held_out_loss: float
    """Flow loss on held-out demonstrations; NaN where there are none."""
    condition: ConditionReport | None
    """None for a policy that knows no negative."""
    critic: Mapping[str, Any] | None
    """The `CriticReport`; None where no critic was asked."""
    freshness_s: Mapping[str, float]
    """Age of steps when the learner got them, by the name of the quantile."""
    git_commit: str
    config: Mapping[str, Any]

    def tags(self, spec_id: str) -> dict[str, str]:
        """What judges, robots and people look at."""
        return {
            SPEC_TAG: spec_id,
            "algorithm": self.algorithm,
            "round": str(self.round),
            TRAIN_ID_TAG: self.train_id,
            "data_pin": self.data_pin,
            "mix": self.mix,
            "guidance_reference": str(self.guidance.reference),
            "guidance_scale": str(self.guidance.scale),
            HELD_OUT_TAG: str(self.held_out_loss),
            **{name: f"{seconds:.3f}" for name, seconds in self.freshness_s.items()},
        }

    def metrics(self) -> dict[str, float]:
        """The finite numbers of the record."""
        found = {"held_out_loss": self.held_out_loss}
        found |= {f"steps_{name}": float(count) for name, count in self.steps.items()}
        if self.condition:
            found |= dataclasses.asdict(self.condition)
        if self.critic:
            found |= {f"critic_{k}": float(v) for k, v in self.critic.items() if isinstance(v, int | float)}
        return {name: value for name, value in found.items() if math.isfinite(value)}


def describe(
    state: TrainState,
    data: Data,
    algorithm: Algorithm,
    config: Mapping[str, Any],
    freshness_s: Mapping[str, float],
) -> Candidate:
    """Measure the averaged weights and gather the record."""
    policy = state.averaged_policy()
    labels, report = state.labels, state.labels.report
    mix = algorithm.mix(labels)
    learned_from = [pool for pool in USED if mix.autonomous_share or pool not in AUTONOMOUS]
    # A negative condition that nothing has taught does anything.
    has_negatives = Pool.AUTONOMOUS_NEGATIVE in learned_from and labels.count(Pool.AUTONOMOUS_NEGATIVE)
    return Candidate(
        algorithm=algorithm.name,
        round=state.round,
        train_id=state.train_id,
        data_pin=state.pin,
        guidance=algorithm.guidance(labels),
        mix=_mix(mix.reason, data.num_stale_episodes),
        steps={"goal": labels.num_goals(mix), **{pool.name.lower(): labels.count(pool) for pool in learned_from}},
        held_out_loss=held_out_loss(policy, data),
        condition=measure_condition(policy, data, labels, seed=state.seed) if has_negatives else None,
        critic=dataclasses.asdict(report) if report else None,
        freshness_s=freshness_s,
        git_commit=git_commit(),
        config=config,
    )


def _mix(reason: str, num_stale: int) -> str:
    return f"{reason}; {num_stale} episodes of old weights not judged" if num_stale else reason


def publish(registry: PolicyRegistry, ledger: Ledger, state: TrainState, candidate: Candidate) -> str:
    """Upload the averaged weights once and enter them in the ledger; returns their version.

    A learner that was killed after uploading finds its version by the training's id and does not
    upload it again.
    """
    known = (v for v in registry.versions() if v.tags.get(TRAIN_ID_TAG) == candidate.train_id)
    # Killed between upload and signature, we upload again: what lies there unsigned may be anybody's.
    signer = ledger.signatory
    ours = (v for v in known if signer is None or weight_signing.is_signed_by(signer, v))
    version = next(ours, None) or _upload(registry, state, candidate, signer)
    if releases.STATUS_TAG not in version.tags:
        releases.announce(
            registry,
            ledger,
            version.version,
            author="learner",
            reason=f"round {candidate.round} of {candidate.algorithm}: {candidate.mix}",
            evidence={"metrics": candidate.metrics(), "data_pin": candidate.data_pin},
        )
    return version.version


def publish_or_wait(
    registry: PolicyRegistry, ledger: Ledger, state: TrainState, candidate: Candidate, stopping: threading.Event
) -> str:
    """`publish`, tried again while the registry is away: what was trained waits for it.

    Returns:
        The version; empty when told to stop before.
    """
    backoff = Backoff()
    while True:
        try:
            return publish(registry, ledger, state, candidate)
        except RegistryUnavailable as error:
            _LOG.warning("cannot publish now: %s", error)
        if backoff.wait(stopping):
            return ""


def _upload(
    registry: PolicyRegistry, state: TrainState, candidate: Candidate, signer: Credential | None
) -> PolicyVersion:
    policy = state.averaged_policy()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "checkpoint"
        checkpoint.save(directory, policy)
        record = json.dumps(_plain(dataclasses.asdict(candidate)), indent=1)
        (directory / RECORD_FILE).write_text(record + "\n")
        version = registry.publish(
            directory,
            tags=candidate.tags(policy.spec.spec_id),
            params=_params(candidate),
            metrics=candidate.metrics(),
        )
    if signer is not None:
        weight_signing.sign_weights(registry, signer, version)
    registry.log_curve(version.version, "loss", _loss_curve(state.losses))
    return version


def _plain(value: Any) -> Any:
    """The same for JSON, which knows no NaN: null in its place."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def git_commit() -> str:
    """The commit of the code that runs; "unknown" outside a checkout."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _params(candidate: Candidate) -> dict[str, str]:
    settings = {
        f"{section}.{name}": str(value)
        for section, fields in candidate.config.items()
        for name, value in fields.items()
    }
    return {"git_commit": candidate.git_commit, "algorithm": candidate.algorithm, **settings}


def _loss_curve(losses: list[float]) -> list[tuple[int, float]]:
    """At most 25 points, each the mean of its stretch: a curve, not a request per update."""
    stretches = np.array_split(np.arange(len(losses)), min(_LOSS_POINTS, max(1, len(losses))))
    return [(int(s[-1]), float(np.mean([losses[i] for i in s]))) for s in stretches if len(s)]
