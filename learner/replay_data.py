"""The training set of a pinned replay view, as the learner sees it."""

import numpy as np
from numpy.typing import NDArray

from learner.data import ArrayData
from learner.experience import Bool, Experience, hold_out
from policy.errors import LakeError
from policy.schema import EXPERT_SOURCES, ControlMode, Outcome
from policy.spec import EmbodimentSpec
from storage.frames import CONTROL_MODES
from storage.pin import DataPin
from storage.replay import Replay
from storage.view import View

_FAILED = (Outcome.FAILURE, Outcome.TIMED_OUT)
_CORRECTING = CONTROL_MODES.index(ControlMode.CORRECTING)
_AUTONOMOUS = CONTROL_MODES.index(ControlMode.AUTONOMOUS)


class ReplaySource:
    """Where the training loop gets its data: the newest, or what a pin names."""

    def __init__(self, replay: Replay, max_version_age: int = 0) -> None:
        """`max_version_age` as in `learner.schedule.LearnerConfig`."""
        self._replay, self._max_version_age = replay, max_version_age

    @property
    def spec(self) -> EmbodimentSpec:
        """The body all of it came from."""
        return self._replay.spec

    def newest(self) -> ArrayData:
        """All complete episodes up to now."""
        self._replay.refresh()
        return training_set(self._replay.view(), self.spec, self._max_version_age)

    def keep(self) -> None:
        """See to it that what `newest` gave can be pinned by a process after this one, also if this one is killed."""
        self._replay.save()

    def follow(self) -> None:
        """Take in what came while the data of an earlier call is still in use: nothing of it gives way.

        Raises:
            LakeError: a table cannot be read; the next call carries on.
        """
        self._replay.refresh(makes_room=False)

    def pinned(self, pin: str) -> ArrayData:
        """Exactly the episodes of a pin, also where it was made by a process before this one.

        Raises:
            LakeError: they are not in the ring any more.
        """
        wanted = DataPin.from_json(pin)
        try:
            self._replay.refresh(makes_room=False)  # newer episodes would push them out
            view = self._replay.view(wanted)
        except LakeError:
            self._replay.refresh()
            view = self._replay.view(wanted)
        return training_set(view, self.spec, self._max_version_age)

    def freshness_s(self) -> dict[str, float]:
        """Median and 99th percentile of the last steps' age when the replay got them.

        Empty before any step came after the first refresh.
        """
        ages = np.array(self._replay.step_age_s)
        if not len(ages):
            return {}
        return {f"step_to_replay_p{share}": float(np.percentile(ages, share)) for share in (50, 99)}


def training_set(view: View, spec: EmbodimentSpec, max_version_age: int = 0) -> ArrayData:
    """Arrays over the ring's memory maps; valid as long as the view.

    Of stale episodes only what people did is told: an advantage says what was better than its policy, and that
    one is long gone.
    """
    episodes = view.episodes
    length = episodes["length"].astype(np.int64)
    is_demonstration = np.isin(episodes["source"].astype(str), [str(source) for source in EXPERT_SOURCES])
    stale = is_stale(episodes["policy_version"], ~is_demonstration, max_version_age)
    rows = view.step_rows
    mode = view.steps.control_mode[rows]
    is_demonstrated = np.repeat(is_demonstration, length)
    tasks = list(dict.fromkeys(episodes["task_id"]))  # in order of appearance: codes stay as data grows
    instructions = list(dict.fromkeys(episodes["instruction"]))
    said = np.array([instructions.index(text) for text in episodes["instruction"]], np.int64)
    experience = Experience(
        start=np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)[: len(length)],
        length=length,
        is_success=np.asarray(episodes["outcome"] == Outcome.SUCCESS, np.bool_) & ~stale,
        is_failure=np.isin(episodes["outcome"].astype(str), [str(outcome) for outcome in _FAILED]) & ~stale,
        task=np.array([tasks.index(task) for task in episodes["task_id"]], np.int64),
        is_demonstration=is_demonstration,
        is_held_out=hold_out(is_demonstration),
        is_correction=(mode == _CORRECTING) & ~is_demonstrated,
        is_held=np.where(mode == _AUTONOMOUS, np.repeat(stale, length), (mode != _CORRECTING) & ~is_demonstrated),
        row=rows,
    )
    instruction = np.zeros(len(view.steps.state), np.int64)
    instruction[rows] = np.repeat(said, length)
    return ArrayData(
        spec=spec,
        experience=experience,
        pin=view.pin.to_json(),
        frames=view.steps.frames,
        state=view.steps.state,
        tactile=view.steps.tactile,
        action=view.steps.executed_action,
        instruction=instruction,
        instructions=instructions,
        episode_ids=episodes["episode_id"].tolist(),
        tasks=tasks,
        num_stale_episodes=int(stale.sum()),
    )


def is_stale(version: NDArray[np.object_], is_rollout: Bool, max_age: int) -> Bool:
    """bool[E], rollouts of weights older than the newest `max_age`; 0 for no limit.

    Weights are as old as the number of others that worked after them, so those that came back by a rollback
    are new again.

    Args:
        version: texts [E], in the order of the log.
        is_rollout: bool[E].
        max_age: versions.
    """
    last_seen = {name: row for row, name in enumerate(version) if is_rollout[row]}
    newest = sorted(last_seen, key=lambda name: -last_seen[name])[:max_age]
    old = ~np.isin(version.astype(str), [str(name) for name in newest])
    return np.asarray(is_rollout & old & bool(max_age), np.bool_)
