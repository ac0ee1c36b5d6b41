"""Which picture leaves next: the newest of each view, in turn, no faster than asked, two on their way at most.

Pictures that a newer one replaces are dropped here, at the sender: a page that is slow, or asleep,
gets fewer pictures and never old ones, and costs one picture per view.
"""

import dataclasses
from collections import deque
from collections.abc import Sequence

from console.sockets.views import View
from corrections.frames import Frame

MAX_IN_FLIGHT = 2
"""Pictures of one view that the page has not drawn yet."""


@dataclasses.dataclass(kw_only=True)
class _Frame:
    """One view's place on the wall."""

    view: View
    newest: Frame | None = None
    num_in_flight: int = 0
    due_s: float = 0.0
    """Not before."""

    def wait_s(self, now_s: float) -> float | None:
        """Until its picture may leave; None while there is none, or no credit for it."""
        if self.newest is None or self.num_in_flight >= MAX_IN_FLIGHT or self.view.fps <= 0:
            return None
        return max(0.0, self.due_s - now_s)


class Gallery:
    """The views of one page; used on one event loop."""

    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self._in_flight: deque[_Frame] = deque()
        """In the order in which they left, because a credit does not name its view."""
        self.num_dropped = 0
        """Pictures that a newer one replaced before they could leave."""

    @property
    def views(self) -> Sequence[View]:
        """What is shown now."""
        return [frame.view for frame in self._frames]

    def show(self, views: Sequence[View]) -> None:
        """Other views from now on; one that stays keeps its credits."""
        old = {(f.view.robot_id, f.view.camera): f for f in reversed(self._frames)}
        frames = []
        for view in views:
            frame = old.pop((view.robot_id, view.camera), None) or _Frame(view=view)
            frame.view = view
            frames.append(frame)
        self._frames = frames

    def put(self, index: int, picture: Frame) -> None:
        """The newest picture of a view."""
        frame = self._frames[index]
        self.num_dropped += frame.newest is not None
        frame.newest = picture

    def credit(self, count: int) -> None:
        """So many pictures were drawn."""
        for _ in range(min(count, len(self._in_flight))):
            self._in_flight.popleft().num_in_flight -= 1

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until a picture may leave; None while none can."""
        waits = [wait_s for frame in self._frames if (wait_s := frame.wait_s(now_s)) is not None]
        return min(waits, default=None)

    def take(self, now_s: float) -> tuple[View, Frame] | None:
        """The picture to send now, its `view` the place in the list; None if it is not time."""
        ready = [(f.due_s, index) for index, f in enumerate(self._frames) if f.wait_s(now_s) == 0.0]
        if not ready:
            return None
        _, index = min(ready)
        frame = self._frames[index]
        picture, frame.newest = frame.newest, None
        assert picture is not None
        # Paced from when it was due, so that 10 a second stay 10; not from long ago, after a pause.
        period_s = 1.0 / frame.view.fps
        frame.due_s = max(frame.due_s + period_s, now_s)
        frame.num_in_flight += 1
        self._in_flight.append(frame)
        return frame.view, dataclasses.replace(picture, view=index)
