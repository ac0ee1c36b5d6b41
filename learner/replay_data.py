"""The training set of a pinned replay view, as the learner sees it."""

import numpy as np

from learner.data import ArrayData
from learner.experience import Experience, hold_out
from policy.schema import ControlMode, Outcome, Source
from policy.spec import EmbodimentSpec
from storage.frames import CONTROL_MODES
from storage.pin import DataPin
from storage.replay import Replay
from storage.view import View

_EXPERT = (Source.DEMONSTRATION, Source.SIMULATED_EXPERT)
_FAILED = (Outcome.FAILURE, Outcome.TIMED_OUT)
_CORRECTING = CONTROL_MODES.index(ControlMode.CORRECTING)
_AUTONOMOUS = CONTROL_MODES.index(ControlMode.AUTONOMOUS)


class ReplaySource:
    """Where the training loop gets its data: the newest, or what a pin names."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    @property
    def spec(self) -> EmbodimentSpec:
        """The body all of it came from."""
        return self._replay.spec

    def newest(self) -> ArrayData:
        """All complete episodes up to now."""
        self._replay.refresh()
        return training_set(self._replay.view(), self.spec)

    def follow(self) -> None:
        """Take in what came while the data of an earlier call is still in use: nothing of it gives way.

        Raises:
            LakeError: a table cannot be read; the next call carries on.
        """
        self._replay.refresh(makes_room=False)

    def pinned(self, pin: str) -> ArrayData:
        """Exactly the episodes of a pin.

        Raises:
            LakeError: they are not in the ring any more.
        """
        self._replay.refresh()
        return training_set(self._replay.view(DataPin.from_json(pin)), self.spec)

    def freshness_s(self) -> dict[str, float]:
        """Median and 99th percentile of the last steps' age when the replay got them.

        Empty before any step came after the first refresh.
        """
        ages = np.array(self._replay.step_age_s)
        if not len(ages):
            return {}
        return {f"step_to_replay_p{share}": float(np.percentile(ages, share)) for share in (50, 99)}


def training_set(view: View, spec: EmbodimentSpec) -> ArrayData:
    """Arrays over the ring's memory maps; valid as long as the view."""
    episodes = view.episodes
    length = episodes["length"].astype(np.int64)
    is_demonstration = np.isin(episodes["source"].astype(str), [str(source) for source in _EXPERT])
    rows = view.step_rows
    mode = view.steps.control_mode[rows]
    is_demonstrated = np.repeat(is_demonstration, length)
    tasks = list(dict.fromkeys(episodes["task_id"]))  # in order of appearance: codes stay as data grows
    instructions = list(dict.fromkeys(episodes["instruction"]))
    said = np.array([instructions.index(text) for text in episodes["instruction"]], np.int64)
    experience = Experience(
        start=np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)[: len(length)],
        length=length,
        is_success=np.asarray(episodes["outcome"] == Outcome.SUCCESS, np.bool_),
        is_failure=np.isin(episodes["outcome"].astype(str), [str(outcome) for outcome in _FAILED]),
        task=np.array([tasks.index(task) for task in episodes["task_id"]], np.int64),
        is_demonstration=is_demonstration,
        is_held_out=hold_out(is_demonstration),
        is_correction=(mode == _CORRECTING) & ~is_demonstrated,
        is_held=(mode != _CORRECTING) & (mode != _AUTONOMOUS) & ~is_demonstrated,
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
    )
