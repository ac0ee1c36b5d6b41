"""Hears what robots say of themselves, past console and browser, and sets them free after a test."""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from corrections import auth, codec
from corrections.help_messages import HelpList, OpenRequest
from corrections.operator_messages import TO_OPERATOR, Acquire, OperatorHello, Release, Watch
from corrections.protocol import ClearStop, LeaseState, Reports, RobotState
from policy.schema import ControlMode

DEADLINE_S = 60.0
"""Of one wait, on a machine that has other work to do."""
NAME = "witness"
EARLY_STEPS = 200
"""Of the 400 of an episode: 10 s are left."""
NUM_AT_REST = 15
"""Reports, 20 a second."""


class Witness:
    """One operator connection to the gateway, read by a thread; it drives nothing while a test runs."""

    def __init__(self, url: str, token: str) -> None:
        """`url`: of the gateway, with the operators' path."""
        self._url, self._token = url, token
        self._stack = contextlib.ExitStack()
        self._changed = threading.Condition()
        self._reports: dict[str, list[RobotState]] = defaultdict(list)
        self._leases: dict[str, LeaseState] = {}
        self._requests: tuple[OpenRequest, ...] = ()

    def __enter__(self) -> Self:
        headers = auth.header(self._token)
        self._socket = self._stack.enter_context(
            connect(self._url, additional_headers=headers, compression=None, max_size=None)
        )
        self._say(OperatorHello(operator_id=NAME))
        self._say(Watch())
        self._thread = threading.Thread(target=self._listen, args=(self._socket,))
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()
        self._thread.join()

    def wait(self, what: str, condition: Callable[[], object]) -> None:
        """Until what was heard makes it hold.

        Raises:
            AssertionError: it did not in time.
        """
        deadline = time.monotonic() + DEADLINE_S
        with self._changed:
            while not condition():
                left_s = deadline - time.monotonic()
                assert left_s > 0, f"waited in vain: {what}; {self._summary()}"
                self._changed.wait(left_s)

    def wait_for_mode(self, robot_id: str, *modes: ControlMode, since: int = 0) -> None:
        """Until the robot has said that it is in one of these modes, in a report from number `since` on."""
        self.wait(
            f"{robot_id} becomes {' or '.join(modes)}",
            lambda: any(state.mode in modes for state in self._reports[robot_id][since:]),
        )

    def wait_for_rest(self, robot_id: str) -> None:
        """Until no person has moved it for a while: a machine with other work makes it pause for a moment anyway."""
        since = self.num_reports(robot_id)
        self.wait(
            f"{robot_id} comes to rest",
            lambda: (
                self.num_reports(robot_id) >= since + NUM_AT_REST
                and all(state.mode is not ControlMode.CORRECTING for state in self._reports[robot_id][-NUM_AT_REST:])
            ),
        )

    def hear_more(self, robot_id: str, num: int = 10) -> None:
        """Until the robot has reported so often again."""
        target = self.num_reports(robot_id) + num
        self.wait(f"{robot_id} reports", lambda: self.num_reports(robot_id) >= target)

    def num_reports(self, robot_id: str) -> int:
        """How often it was heard; a place in time to look back to."""
        return len(self._reports[robot_id])

    def reports(self, robot_id: str, since: int) -> list[RobotState]:
        """What it said from that number on."""
        return self._reports[robot_id][since:]

    def modes(self, robot_id: str, since: int) -> set[ControlMode]:
        """The modes in those reports."""
        return {state.mode for state in self.reports(robot_id, since)}

    def state(self, robot_id: str) -> RobotState:
        """Its newest report."""
        return self._reports[robot_id][-1]

    def lease(self, robot_id: str) -> LeaseState | None:
        """Who holds it."""
        return self._leases.get(robot_id)

    def request_of(self, robot_id: str) -> OpenRequest | None:
        """What it asks for."""
        return next((request for request in self._requests if request.robot_id == robot_id), None)

    def is_early(self, robot_id: str) -> bool:
        """Whether it works in an episode of which at least half is still to come."""
        return self.is_working(robot_id) and 0 < self.state(robot_id).step_index < EARLY_STEPS

    def asks_early(self, robot_id: str) -> bool:
        """The same, and it asks for help."""
        return self.is_early(robot_id) and self.request_of(robot_id) is not None

    def is_working(self, robot_id: str) -> bool:
        """Whether it acts on its policy, in an episode."""
        return self.is_autonomous(robot_id) and bool(self.state(robot_id).episode_id)

    def is_autonomous(self, robot_id: str) -> bool:
        """Whether nobody holds or stops it, in an episode or between two."""
        states = self._reports[robot_id]
        return bool(states) and states[-1].mode is ControlMode.AUTONOMOUS

    def set_free(self, robot_ids: Iterable[str]) -> None:
        """Back to the policy, whatever a test left behind."""
        for robot_id in robot_ids:
            if self.state(robot_id).mode is ControlMode.STOPPED:
                self._clear(robot_id)
            lease = self.lease(robot_id)
            if not self.is_working(robot_id) or (lease and lease.is_held):
                self._take_and_hand_back(robot_id)

    def _clear(self, robot_id: str) -> None:
        since = self.num_reports(robot_id)
        self._say(ClearStop(robot_id=robot_id, confirm=robot_id, reason="the test is over"))
        others = [mode for mode in ControlMode if mode is not ControlMode.STOPPED]
        self.wait_for_mode(robot_id, *others, since=since)

    def _take_and_hand_back(self, robot_id: str) -> None:
        self._say(Acquire(robot_id=robot_id, force=True, reason="the test is over"))
        self.wait(f"the witness holds {robot_id}", lambda: self._is_ours(robot_id))
        self._say(Release(robot_id=robot_id, lease_epoch=self._leases[robot_id].epoch))
        self.wait(f"{robot_id} works again", lambda: self.is_working(robot_id))

    def _is_ours(self, robot_id: str) -> bool:
        lease = self.lease(robot_id)
        return lease is not None and lease.is_yours

    def _say(self, message: codec.Message) -> None:
        self._socket.send(codec.encode(message))

    def _listen(self, socket: ClientConnection) -> None:
        try:
            for data in socket:
                if isinstance(data, str):
                    self._take(codec.decode(data, TO_OPERATOR))
        except ConnectionClosed:
            return

    def _take(self, message: codec.Message) -> None:
        with self._changed:
            if isinstance(message, Reports):
                for state in message.states:
                    self._reports[state.robot_id].append(state)
            elif isinstance(message, LeaseState):
                self._leases[message.robot_id] = message
            elif isinstance(message, HelpList):
                self._requests = message.requests
            self._changed.notify_all()

    def _summary(self) -> str:
        newest = {robot_id: states[-1] for robot_id, states in self._reports.items() if states}
        return "; ".join(f"{name}: {state.mode}, {self._leases.get(name)}" for name, state in newest.items())
