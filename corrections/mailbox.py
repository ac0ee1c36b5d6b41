"""One robot's mailboxes between its control loop and the link: each holds the newest value only.

Values are replaced, never changed, so either side reads without a lock.
"""

import dataclasses
from collections.abc import Iterator

from corrections import frames
from corrections.intervention import NOBODY
from corrections.protocol import RobotInfo, RobotState
from policy.schema import UInt8

_FRAME_PERIOD_NS = int(1e9 / 15)
"""Most pictures per second and camera; console.md 7.1."""


class Mailbox:
    """Newest people for the robot; newest report and pictures for people."""

    def __init__(self, info: RobotInfo, view: int) -> None:
        """`view` is the robot's place in its process's `RobotHello`."""
        self.info = info
        self.people = NOBODY
        self.state: RobotState | None = None
        self.pictures: tuple[int, tuple[UInt8, ...]] | None = None
        """Capture time in ns, and uint8[height, width, 3] per camera."""
        self._view = view
        self._sent: RobotState | None = None
        self._due_ns = 0
        self._sequence = 0
        self._next_picture_ns = 0

    def forget_sent(self) -> None:
        """A new connection knows nothing yet."""
        self._sent = None

    def take_report(self, now_ns: int, period_ns: int) -> RobotState | None:
        """The report to send now, stamped; None if there is nothing new or it is not time yet."""
        state, sent = self.state, self._sent
        if state is None or state is sent:
            return None
        is_news = sent is None or _news(state) != _news(sent)
        if not (is_news or self.people.is_held or now_ns >= self._due_ns):
            return None
        self._sent, self._due_ns = state, now_ns + period_ns
        return dataclasses.replace(state, sent_ns=now_ns)

    def take_pictures(self) -> Iterator[bytes]:
        """The newest pictures as messages, if somebody watches and it is time."""
        if self.pictures is None or not self.people.is_watched or self.pictures[0] < self._next_picture_ns:
            return
        (capture_ns, pictures), self.pictures = self.pictures, None
        # From when it was due, not from when it came: a camera that is a little early must not lose every second one.
        self._next_picture_ns = max(self._next_picture_ns + _FRAME_PERIOD_NS, capture_ns)
        self._sequence = (self._sequence + 1) % (1 << 32)
        for camera, picture in enumerate(pictures):
            yield frames.pack(
                frames.Frame(
                    view=self._view,
                    camera=camera,
                    sequence=self._sequence,
                    capture_ns=capture_ns,
                    jpeg=frames.jpeg(picture),
                )
            )


def _news(state: RobotState) -> tuple[str, str, str]:
    """What people must hear of at once."""
    return state.mode, state.help.request_id, state.unlabelled_episode_id
