"""What a page wants to see: messages of the pictures socket, checked."""

import dataclasses
import json
from typing import Any

from corrections.protocol import check_name
from policy.errors import WireError

MAX_VIEWS = 32
MAX_FPS = 30.0
MAX_WIDTH = 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """One picture on a page."""

    robot_id: str
    camera: int | str
    """Its index or its name in the robot's spec."""
    fps: float
    """Most pictures per second; 0 while it is hidden."""
    width: int
    """Pixels across that the page shows; larger pictures are made smaller. 0: as they come."""

    def __post_init__(self) -> None:
        check_name(self.robot_id, "robot_id")
        if not 0 <= self.fps <= MAX_FPS:
            raise WireError(f"fps is 0 to {MAX_FPS:g}", got=self.fps)
        if not 0 <= self.width <= MAX_WIDTH:
            raise WireError(f"width is 0 to {MAX_WIDTH}", got=self.width)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Views:
    """`watch`: all pictures of the page, in place of those before."""

    views: tuple[View, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Credit:
    """`credit`: so many pictures were drawn, or thrown away."""

    n: int


def read(text: str) -> Views | Credit:
    """One message.

    Raises:
        WireError: names what is wrong with it.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON", cause=str(error)[:200]) from error
    match message:
        case {"type": "credit", "n": int(n)} if 0 < n <= 2 * MAX_VIEWS and type(n) is int:
            return Credit(n=n)
        case {"type": "watch", "views": list(views)} if len(views) <= MAX_VIEWS:
            return Views(views=tuple(_view(view) for view in views))
    raise WireError(f'expected {{"type":"watch","views":[at most {MAX_VIEWS}]}} or {{"type":"credit","n":1}}')


def _view(view: Any) -> View:
    match view:
        case {"robot_id": str(robot_id), "camera": int() | str() as camera}:
            fps, width = view.get("fps", 10.0), view.get("width", 0)
            if type(fps) in (int, float) and type(width) is int and type(camera) is not bool:
                return View(robot_id=robot_id, camera=camera, fps=float(fps), width=width)
    raise WireError("a view has a robot_id, a camera (index or name), fps and a whole width", got=repr(view)[:200])
