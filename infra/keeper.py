"""The keeper: ends the process groups it was told of when whoever told it is gone.

Run as a script by `infra/processes.py`, with a pipe as its standard input: "+123" adds group 123,
"-123" forgets it. However the other end dies, SIGKILL included, the pipe closes; the keeper then asks
every group to end, waits a moment, and kills what is left. So no orphan stays, grandchildren included.
It imports only the standard library: it must start in no time and never fail.
"""

import os
import signal
import sys
import time

_DRAIN_S = 5.0
_POLL_S = 0.05


def main() -> None:
    """Read the pipe to its end, then leave nobody behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group = line[0], int(line[1:])
        if sign == "+":
            groups.add(group)
        else:
            groups.discard(group)
    end(groups)


def end(groups: set[int], drain_s: float = _DRAIN_S) -> None:
    """SIGTERM to each group, and SIGKILL to those that are still there after `drain_s`."""
    deadline = time.monotonic() + drain_s
    left = {group for group in groups if send(group, signal.SIGTERM)}
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Signal a group; whether it still existed."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
