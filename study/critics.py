"""What a value function is worth on episodes that it did not see: ranking, discrimination, calibration, look-ahead.

The learner's own cross-fit, without a policy. Intervals are a bootstrap over episodes: steps of one
episode are no independent evidence.

Look-ahead is judged by what the critic never sees: over the chunk that begins at a step, did the plug come
nearer? A look-ahead is good if its advantages rank steps as that does.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from learner.advantage import AdvantageConfig, Float64, Returns, Segments, advantages, returns, split
from learner.critic import CriticConfig, discrimination, fit_critic, spearman
from learner.data import ArrayData
from learner.experience import Experience
from learner.value import ValueConfig
from policy.schema import SceneSplit
from robots.robot import Robot
from study.cell import Finding

LOOKAHEADS = (4, 8, 16, 0)
"""N in ticks; 0 is to the end."""
_CHUNK_TICKS = 8
"""Over which progress counts: the horizon of the policy's chunk, which is what an indicator judges."""
_NUM_RESAMPLES = 200
_TIP = ("tip_x", "tip_y", "tip_z")


def measure(data: ArrayData, robot: Robot, changes: Mapping[str, Mapping[str, Any]], seed: int) -> Finding:
    """Fit and measure.

    Args:
        data: demonstrations and watched rollouts.
        robot: knows the truth of every scene.
        changes: sections of settings that differ from the learner's defaults.
        seed: of folds, weights, batches and resamples.
    """
    config = AdvantageConfig(**changes.get("advantage", {}))
    experience = data.experience
    segments = split(experience, config)
    outcome = returns(experience, segments, config)
    fitted = fit_critic(
        data,
        experience,
        segments,
        outcome,
        config=CriticConfig(**changes.get("critic", {})),
        value_config=ValueConfig(**changes.get("value", {})),
        device=torch.device("cpu"),
        seed=seed,
    )
    report = fitted.report
    return {
        "num_rollouts": report.num_episodes,
        "num_failures": report.num_failures,
        "num_steps": int(experience.is_autonomous.sum()),
        "num_correction_steps": int(experience.is_correction.sum()),
        "ranking": _finite(report.ranking),
        "auc": _finite(report.auc),
        **_bootstrap(experience, outcome, fitted.value, seed),
        "calibration_error": _finite(calibration_error(report.calibration)),
        "bias": _finite(report.bias),
        "fit_loss": _finite(report.fit_loss),
        "calibration": report.calibration,
        "lookahead": _lookahead(data, robot, segments, outcome, fitted.value, config),
        "is_trusted": report.is_trusted,
        "reason": report.reason,
    }


def calibration_error(calibration: tuple[tuple[float, float, int], ...]) -> float:
    """Expected calibration error: mean distance of mean value and mean return over groups of rising value."""
    num_steps = sum(count for _, _, count in calibration)
    apart = sum(count * abs(value - realised) for value, realised, count in calibration)
    return apart / num_steps if num_steps else math.nan


def _bootstrap(experience: Experience, outcome: Returns, value: Float64, seed: int) -> Finding:
    """95 % intervals of ranking and AUC over episodes drawn with replacement."""
    is_judged = experience.is_autonomous & np.isfinite(outcome.return_to_go) & np.isfinite(value)
    of_episode = [
        np.flatnonzero(is_judged[first : first + length]) + first
        for first, length in zip(experience.start, experience.length, strict=True)
    ]
    of_episode = [steps for steps in of_episode if len(steps)]
    # The step half-way through an episode that the policy drove alone, as in the critic's report.
    middle, won = _middles(experience, value)
    rng = np.random.default_rng((seed, 31))
    rankings, aucs = [], []
    for _ in range(_NUM_RESAMPLES if of_episode else 0):
        steps = np.concatenate([of_episode[i] for i in rng.integers(len(of_episode), size=len(of_episode))])
        rankings.append(spearman(value[steps], outcome.return_to_go[steps]))
        drawn = rng.integers(max(1, len(middle)), size=len(middle))
        aucs.append(discrimination(value[middle[drawn]], won[drawn]))
    return {**_interval("ranking", rankings), **_interval("auc", aucs)}


def _middles(experience: Experience, value: Float64) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    known = (experience.is_success | experience.is_failure) & ~experience.is_demonstration & ~experience.is_helped
    middle = experience.start + experience.length // 2
    known &= np.isfinite(value[middle])
    return middle[known], experience.is_success[known]


def _interval(name: str, drawn: list[float]) -> Finding:
    known = [value for value in drawn if math.isfinite(value)]
    low, high = np.quantile(known, [0.025, 0.975]).tolist() if known else (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def _lookahead(
    data: ArrayData, robot: Robot, segments: Segments, outcome: Returns, value: Float64, config: AdvantageConfig
) -> dict[str, float | None]:
    """Rank correlation of N-step advantage and true progress over autonomous steps, by N."""
    to_go = distance_to_go(data, robot)
    if to_go is None:
        return {}
    now = np.arange(len(value))
    ahead = np.minimum(now + _CHUNK_TICKS, segments.end_of_step - 1)
    progress = to_go - to_go[ahead]
    found = {}
    for ticks in LOOKAHEADS:
        own = dataclasses.replace(config, lookahead_steps=ticks)
        advantage = advantages(outcome, segments, value, own)
        is_known = data.experience.is_autonomous & np.isfinite(advantage) & (now + _CHUNK_TICKS < segments.end_of_step)
        found[str(ticks)] = _finite(spearman(advantage[is_known], progress[is_known]))
    return found


def distance_to_go(data: ArrayData, robot: Robot) -> Float64 | None:
    """Metres from the tip to the target, sideways and above its rim, float64[N]; None for tasks without such a way.

    The scene's truth says where the target is, the robot's own reading (to 0.1 mm) where the tip was.
    """
    names = [channel.name for channel in data.spec.state]
    robot.reset(SceneSplit.DEMONSTRATE.value.start)
    if not (set(_TIP) <= set(names) and "target_rim_m" in robot.privileged()):
        return None
    x, y, z = (data.state[data.experience.row, names.index(name)].astype(np.float64) for name in _TIP)
    target = np.array([_target(robot, int(name.rsplit("/", 1)[1])) for name in data.episode_ids])
    target_x, target_y, rim = target[data.experience.episode].T
    return np.asarray(np.hypot(x - target_x, y - target_y) + (z - rim), np.float64)


def _target(robot: Robot, scene_seed: int) -> tuple[float, float, float]:
    robot.reset(scene_seed)
    truth = robot.privileged()
    return truth["target_x_m"], truth["target_y_m"], truth["target_rim_m"]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
