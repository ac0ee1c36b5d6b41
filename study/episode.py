"""Episodes of a study: grown in lock-step, kept in one file, turned into the learner's own data."""

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.data import ArrayData
from learner.experience import Experience, hold_out
from policy.schema import Float32, Observation, Outcome
from policy.spec import EmbodimentSpec
from robots.robot import TaskStatus

_FRAMES = "frames"
_FAILED = (Outcome.FAILURE, Outcome.TIMED_OUT)


@dataclasses.dataclass(kw_only=True, eq=False)
class Episode:
    """One episode, growing while it runs."""

    task_id: str
    scene_seed: int
    is_demonstration: bool = False
    observations: list[Observation] = dataclasses.field(default_factory=list)
    """Empty where an evaluation did not keep them."""
    actions: list[Float32] = dataclasses.field(default_factory=list)
    is_correction: list[bool] = dataclasses.field(default_factory=list)
    is_held: list[bool] = dataclasses.field(default_factory=list)
    outcome: Outcome = Outcome.UNLABELLED
    reason: str = ""

    @property
    def num_steps(self) -> int:
        """Control ticks so far."""
        return len(self.actions)

    @property
    def is_success(self) -> bool:
        """Whether it ended well."""
        return self.outcome is Outcome.SUCCESS

    def end(self, status: TaskStatus) -> None:
        """Write down how it ended."""
        self.outcome, self.reason = status.outcome, status.reason


def save(path: Path, episodes: Sequence[Episode]) -> None:
    """Write episodes with their observations as plain arrays; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = [observation for episode in episodes for observation in episode.observations]
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        length=np.array([e.num_steps for e in episodes], np.int64),
        scene_seed=np.array([e.scene_seed for e in episodes], np.int64),
        task=np.array([e.task_id for e in episodes]),
        instruction=np.array([e.observations[0].instruction for e in episodes]),
        outcome=np.array([str(e.outcome) for e in episodes]),
        reason=np.array([e.reason for e in episodes]),
        is_demonstration=np.array([e.is_demonstration for e in episodes]),
        is_correction=np.array([flag for e in episodes for flag in e.is_correction]),
        is_held=np.array([flag for e in episodes for flag in e.is_held]),
        frames=np.stack([np.stack(o.frames) for o in steps]),
        state=np.stack([o.state for o in steps]),
        tactile=np.stack([o.tactile for o in steps]),
        action=np.stack([action for e in episodes for action in e.actions]),
    )
    partial.replace(path)


def _join(paths: Sequence[Path]) -> dict[str, NDArray[Any]]:
    """The columns of some files, one after the other.

    Frames are gigabytes: beside the result only one file's are in memory at a time.
    """
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(np.load(path, allow_pickle=False)) for path in paths]
        joined = {name: np.concatenate([file[name] for file in files]) for name in files[0] if name != _FRAMES}
        num_done = 0
        for file in files:
            part = file[_FRAMES]
            if not num_done:
                joined[_FRAMES] = np.empty((len(joined["state"]), *part.shape[1:]), part.dtype)
            joined[_FRAMES][num_done : num_done + len(part)] = part
            num_done += len(part)
    return joined


def load(paths: Sequence[Path], spec: EmbodimentSpec) -> ArrayData:
    """The episodes of some files in their order, as a training set; every tenth demonstration is held out.

    Raises:
        OSError: a file is missing.
    """
    joined = _join(paths)
    length, said, task = joined["length"], joined["instruction"], joined["task"]
    tasks, instructions = list(dict.fromkeys(task.tolist())), sorted(set(said.tolist()))
    num_steps = int(length.sum())
    experience = Experience(
        start=np.cumsum(length) - length,
        length=length,
        is_success=joined["outcome"] == str(Outcome.SUCCESS),
        is_failure=np.isin(joined["outcome"], [str(outcome) for outcome in _FAILED]),
        task=np.array([tasks.index(name) for name in task], np.int64),
        is_demonstration=joined["is_demonstration"],
        is_held_out=hold_out(joined["is_demonstration"]),
        is_correction=joined["is_correction"],
        is_held=joined["is_held"],
        row=np.arange(num_steps),
    )
    return ArrayData(
        spec=spec,
        experience=experience,
        pin="{}",
        frames=joined["frames"],
        state=joined["state"],
        tactile=joined["tactile"],
        action=joined["action"],
        instruction=np.repeat(np.array([instructions.index(text) for text in said], np.int64), length),
        instructions=instructions,
        episode_ids=[f"{name}/{seed}" for name, seed in zip(task, joined["scene_seed"], strict=True)],
        tasks=tasks,
    )
