"""Any Gymnasium environment with a Box action as a `Robot`, described by one spec file (`gym_spec.py`).

What does not fit is found when the robot is made, and named together with the fix.
"""

import importlib
import pathlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from PIL import Image

from policy.errors import ConfigError, SchemaError
from policy.schema import Float32, Observation, Outcome, UInt8
from policy.spec import CameraSpec, ChannelSpec, EmbodimentSpec
from robots.gym_spec import GymCamera, GymEnvironment, GymSpec
from robots.robot import TaskStatus

_WHOLE = "observation"
_PART = re.compile(r"(?P<keys>[^\[\]]+)(\[(?P<start>\d*):(?P<stop>\d*)\])?")


class GymRobot:
    """A Gymnasium environment seen through a spec file."""

    is_simulated = True

    def __init__(self, spec: GymSpec) -> None:
        self._gym_spec = spec
        self._env = _make(spec.environment, needs_render=any(c.source == "render" for c in spec.cameras))
        self._box = _action_box(self._env)
        self._hold = np.array(spec.hold or [0.0] * self._box.shape[0], np.float32)
        if self._hold.shape != self._box.shape:
            raise SchemaError("hold needs one number per action channel", num_channels=self._box.shape[0])
        self._raw, _ = self._env.reset(seed=0)
        self._spec = self._embodiment()
        self.observe()

    @classmethod
    def from_file(cls, path: pathlib.Path) -> "GymRobot":
        """Make the robot that a spec file describes.

        Raises:
            ConfigError: the file is wrong, or names an environment that cannot be made.
            SchemaError: the file does not fit the environment; the message names what and the fix.
        """
        return cls(GymSpec.load(path))

    @property
    def spec(self) -> EmbodimentSpec:
        """See `robots.robot.Robot`."""
        return self._spec

    @property
    def task_id(self) -> str:
        """As in the spec file."""
        return self._gym_spec.task_id

    def reset(self, scene_seed: int) -> Observation:
        """Start an episode."""
        self._raw, _ = self._env.reset(seed=scene_seed)
        return self.observe()

    def observe(self) -> Observation:
        """Sense, without moving."""
        spec = self._gym_spec
        return Observation(
            frames=tuple(self._picture(camera) for camera in spec.cameras),
            state=self._numbers(spec.state),
            tactile=self._numbers(spec.touch),
            instruction=spec.instruction,
            time_ns=time.time_ns(),
        )

    def apply(self, action: Float32) -> TaskStatus:
        """Execute float32[A] in [-1, 1] for one step of the environment."""
        low, high = self._box.low, self._box.high
        command = (low + (action + 1) / 2 * (high - low)).astype(self._box.dtype)
        self._raw, _, terminated, truncated, info = self._env.step(command)
        is_success = self._is_success(info, bool(terminated), bool(terminated or truncated))
        is_over = bool(terminated) or is_success
        outcome = Outcome.UNLABELLED
        if is_over:
            outcome = Outcome.SUCCESS if is_success else Outcome.FAILURE
        elif truncated:
            outcome = Outcome.TIMED_OUT
        return TaskStatus(is_terminal=is_over, is_truncated=bool(truncated) and not is_over, outcome=outcome)

    def hold(self) -> TaskStatus:
        """One step of the environment with the spec's `hold` action."""
        return self.apply(self._hold)

    def privileged(self) -> Mapping[str, float]:
        """Nothing: a Gymnasium environment does not say."""
        return {}

    def close(self) -> None:
        """Close the environment."""
        self._env.close()  # type: ignore[no-untyped-call]

    def _is_success(self, info: Mapping[str, Any], terminated: bool, is_over: bool) -> bool:
        key = self._gym_spec.success
        if key == "terminated":
            return terminated
        if is_over and key not in info:
            raise SchemaError(f"info has no key {key!r} at the end of an episode; set success", keys=list(info))
        return bool(info.get(key, False))

    def _embodiment(self) -> EmbodimentSpec:
        spec = self._gym_spec
        return EmbodimentSpec(
            name=spec.name,
            control_rate_hz=spec.control_rate_hz,
            state=self._channels(spec.state),
            tactile=self._channels(spec.touch),
            action=tuple(
                ChannelSpec(name=f"action[{i}]", unit="1", low=-1.0, high=1.0) for i in range(self._box.shape[0])
            ),
            cameras=tuple(CameraSpec(name=c.name, height=c.height, width=c.width) for c in spec.cameras),
        )

    def _channels(self, sources: Sequence[str]) -> tuple[ChannelSpec, ...]:
        return tuple(
            ChannelSpec(name=f"{source}/{i}", unit="1")
            for source in sources
            for i in range(self._numbers([source]).size)
        )

    def _numbers(self, sources: Sequence[str]) -> Float32:
        parts = [np.asarray(self._find(source)) for source in sources]
        for source, part in zip(sources, parts, strict=True):
            if part.dtype.kind not in "biuf":
                raise SchemaError(f"{source} is not numbers", dtype=str(part.dtype))
        return np.concatenate([np.zeros(0), *(part.reshape(-1) for part in parts)]).astype(np.float32)

    def _picture(self, camera: GymCamera) -> UInt8:
        raw = self._env.render() if camera.source == "render" else self._find(camera.source)
        picture = np.asarray(raw)
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise SchemaError(
                f"camera {camera.name} needs uint8[height, width, 3] from {camera.source}",
                shape=picture.shape,
                dtype=str(picture.dtype),
            )
        if picture.shape[:2] == (camera.height, camera.width):
            return np.ascontiguousarray(picture)
        scaled = Image.fromarray(picture).resize((camera.width, camera.height), Image.Resampling.BOX)
        return np.asarray(scaled)

    def _find(self, source: str) -> Any:
        """What `source` points at in the current observation."""
        match = _PART.fullmatch(source)
        if match is None:
            raise SchemaError(f"{source!r} is not a key, a dotted key, or key[from:to]")
        value: Any = self._raw
        keys = match["keys"].split(".")
        if keys == [_WHOLE] and not isinstance(value, Mapping):
            keys = []
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                known = list(value) if isinstance(value, Mapping) else [_WHOLE]
                raise SchemaError(f"the observation has no {source!r}; it has {', '.join(known)}")
            value = value[key]
        if match["start"] is None:
            return value
        whole = np.asarray(value).reshape(-1)
        start, stop = int(match["start"] or 0), int(match["stop"] or whole.size)
        if not start < stop <= whole.size:
            raise SchemaError(f"{source!r} is outside of what is there", num_values=whole.size)
        return whole[start:stop]


def _make(environment: GymEnvironment, *, needs_render: bool) -> gymnasium.Env[Any, Any]:
    kwargs = dict(environment.kwargs)
    if needs_render:
        kwargs.setdefault("render_mode", "rgb_array")
    try:
        if environment.module:
            importlib.import_module(environment.module)
        return gymnasium.make(environment.id, **kwargs)
    except (gymnasium.error.Error, ImportError, TypeError) as error:
        raise ConfigError(f"cannot make the environment: {error}", id=environment.id) from error


def _action_box(env: gymnasium.Env[Any, Any]) -> gymnasium.spaces.Box:
    space = env.action_space
    if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
        raise SchemaError("the action space must be a one-dimensional Box", action_space=str(space))
    if not space.is_bounded():
        raise SchemaError(
            "the action space needs finite limits; wrap it in gymnasium.wrappers.ClipAction or RescaleAction",
            action_space=str(space),
        )
    return space
