"""The door to MuJoCo: import it from here, and take pictures through the one shared `Camera`.

Offscreen rendering needs a GL context. It is made when the first picture is taken, once per thread,
and serves every robot of the process: scenes of the same shape share it. Two traps live here:

* `MUJOCO_GL` must be set before mujoco is imported (EGL on Linux unless you set it otherwise).
* The EGL context must be created after torch has loaded its compiler, or the first optimizer step
  crashes the process. A process that uses torch therefore imports it *before the first picture*;
  one that does not never pays for it.
"""

import functools
import importlib
import os
import sys
import threading
from collections.abc import Callable, Hashable

if sys.platform == "linux":
    os.environ.setdefault("MUJOCO_GL", "egl")

import mujoco
import numpy as np

from policy.schema import UInt8

__all__ = ["Camera", "Pictures", "mujoco", "new_model"]

_MAX_GEOMS = 100
"""Room in the abstract scene; a task with more visible geoms raises this."""


_thread = threading.local()
"""`cameras` by kind, and the `current` one: GL draws into one context per thread."""


class Camera:
    """Takes pictures of any model of one shape of scene, all cameras in one pass.

    The cameras are drawn side by side into one buffer, so that pixels are read back once.
    """

    def __init__(self, model: mujoco.MjModel, cameras: tuple[str, ...], height: int, width: int) -> None:
        if "torch" in sys.modules:
            importlib.import_module("torch._dynamo")
        self._gl = mujoco.GLContext(width * len(cameras), height)
        self._make_current()
        model.vis.global_.offwidth, model.vis.global_.offheight = width * len(cameras), height
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._scene = mujoco.MjvScene(model, _MAX_GEOMS)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._scene.flags[flag] = 0
        self._option = mujoco.MjvOption()
        self._option.sitegroup[:] = 0
        self._views = [self._view(model, name) for name in cameras]
        self._rectangles = [mujoco.MjrRect(i * width, 0, width, height) for i in range(len(cameras))]
        self._whole = mujoco.MjrRect(0, 0, width * len(cameras), height)
        self._pixels = np.zeros((height, width * len(cameras), 3), np.uint8)
        self._width = width

    def take(self, model: mujoco.MjModel, data: mujoco.MjData) -> tuple[UInt8, ...]:
        """Pictures of `data` as it stands: uint8[height, width, 3] per camera, top row first."""
        if _thread.current is not self:
            self._make_current()
        static, scene = mujoco.mjtCatBit.mjCAT_ALL.value, self._scene
        mujoco.mjv_updateScene(model, data, self._option, None, self._views[0], static, scene)
        for view, rectangle in zip(self._views, self._rectangles, strict=True):
            mujoco.mjv_updateCamera(model, data, view, scene)
            mujoco.mjr_render(rectangle, scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._whole, self._context)
        upright, width = self._pixels[::-1], self._width
        return tuple(np.ascontiguousarray(upright[:, i * width : (i + 1) * width]) for i in range(len(self._views)))

    def _make_current(self) -> None:
        self._gl.make_current()
        _thread.current = self

    @staticmethod
    def _view(model: mujoco.MjModel, name: str) -> mujoco.MjvCamera:
        view = mujoco.MjvCamera()
        view.type = mujoco.mjtCamera.mjCAMERA_FIXED.value
        view.fixedcamid = model.camera(name).id
        return view


def shared_camera(kind: str, model: mujoco.MjModel, cameras: tuple[str, ...], height: int, width: int) -> Camera:
    """The camera of this thread for one `kind` of scene; made at the first call."""
    cache: dict[str, Camera] = _thread.__dict__.setdefault("cameras", {})
    if kind not in cache:
        cache[kind] = Camera(model, cameras, height, width)
    return cache[kind]


class Pictures:
    """What one robot's cameras see: taken when asked for, once between two moves."""

    def __init__(
        self, kind: str, model: mujoco.MjModel, data: mujoco.MjData, cameras: tuple[str, ...], size: int
    ) -> None:
        """Start; `kind` is shared by scenes of the same shape, `size` is height and width in pixels."""
        self._kind, self._model, self._data, self._cameras, self._size = f"{kind}/{size}", model, data, cameras, size
        self._frames: tuple[UInt8, ...] | None = None

    def take(self) -> tuple[UInt8, ...]:
        """uint8[size, size, 3] per camera; the same until `forget`."""
        if self._frames is None:
            camera = shared_camera(self._kind, self._model, self._cameras, self._size, self._size)
            self._frames = camera.take(self._model, self._data)
        return self._frames

    def forget(self) -> None:
        """The robot moved."""
        self._frames = None


@functools.cache
def _template(mjcf: Callable[..., str], *arguments: Hashable) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(mjcf(*arguments))


def new_model(mjcf: Callable[..., str], *arguments: Hashable) -> mujoco.MjModel:
    """A model of its own for each robot, compiled once per process from what `mjcf` writes for these arguments."""
    model: mujoco.MjModel = _template(mjcf, *arguments).__deepcopy__({})
    return model
