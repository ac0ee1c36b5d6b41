"""Does the robot's own machinery keep up? For robots in real time while their policy acts.

A simulated robot on its own clock merely takes longer, and a held one obeys its person.
"""

_S = 1_000_000_000
_HOLD_NS = 1 * _S
"""After a tick that came late the robot holds this long: what it planned was for another moment."""


class Watchdog:
    """The rhythm of one robot's ticks and actions."""

    def __init__(self, late_tick_s: float, late_chunk_s: float) -> None:
        """A time of 0 switches that half off."""
        self._late_tick_s, self._late_chunk_s = late_tick_s, late_chunk_s
        self.reset()

    def reset(self) -> None:
        """A new episode, another mode, or virtual time: nothing is known of the rhythm."""
        self._ticked_ns: int | None = None
        self._acted_ns = 0
        self._hold_until_ns = 0
        self._late_reason = ""

    def tick(self, now_ns: int, *, has_action: bool) -> str:
        """Why the robot must hold and ask in this tick, in words; empty if it need not.

        Args:
            now_ns: the robot's monotonic clock.
            has_action: whether the policy has an action for this tick.
        """
        before_ns, self._ticked_ns = self._ticked_ns, now_ns
        if before_ns is None:
            self._acted_ns = now_ns
            return ""
        gap_s = (now_ns - before_ns) / _S
        if self._late_tick_s and gap_s > self._late_tick_s:
            self._late_reason = f"its control loop stood still for {gap_s:.1f} s"
            self._hold_until_ns = now_ns + _HOLD_NS
            self._acted_ns = now_ns  # the policy had no chance meanwhile
        if has_action:
            self._acted_ns = now_ns
        idle_s = (now_ns - self._acted_ns) / _S
        if self._late_chunk_s and idle_s > self._late_chunk_s:
            return f"its policy gave no action for more than {self._late_chunk_s:.1f} s"
        return self._late_reason if now_ns < self._hold_until_ns else ""
