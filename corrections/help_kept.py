"""What only the gateway knows of open requests, in a file over its restart.

Robots repeat their own requests in every report. Watchers' requests and questions how an episode went live
at the desk alone, and so do claims. Times are wall time: a monotonic clock may not outlive its machine.
"""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from corrections import codec
from corrections.help_case import Case
from corrections.protocol import Help, table
from infra import whole_file
from policy.errors import WireError

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeptCase:
    """One open request."""

    robot_id: str
    episode_id: str
    task_id: str
    help: Help
    asked_ns: int
    is_reported: bool
    """It stands in its robot's reports: only its claim is kept here."""
    claimed_by: str
    claimed_ns: int
    claim_until_ns: int

    @classmethod
    def of(cls, case: Case, now_ns: int, wall_ns: int) -> "KeptCase":
        """A case at one moment, on the desk's clock and as wall time."""
        return cls(
            robot_id=case.robot_id,
            episode_id=case.episode_id,
            task_id=case.task_id,
            help=case.help,
            asked_ns=case.asked_ns,
            is_reported=case.is_reported,
            claimed_by=case.claimed_by,
            claimed_ns=case.claimed_ns,
            claim_until_ns=case.claim_until_ns - now_ns + wall_ns if case.claimant(now_ns) else 0,
        )

    def case(self, now_ns: int, wall_ns: int) -> Case:
        """It once more; its robot has yet to come back."""
        since_ns = now_ns - (wall_ns - self.asked_ns)
        case = Case(
            robot_id=self.robot_id,
            episode_id=self.episode_id,
            task_id=self.task_id,
            help=self.help,
            since_ns=since_ns,
            due_from_ns=since_ns,
            asked_ns=self.asked_ns,
            is_reported=False,
            is_ours=True,
        )
        self.claim(case, now_ns, wall_ns)
        return case

    def claim(self, case: Case, now_ns: int, wall_ns: int) -> None:
        """Whoever looked after it still does."""
        case.claimed_by, case.claimed_ns = self.claimed_by, self.claimed_ns
        case.claim_until_ns = now_ns + self.claim_until_ns - wall_ns


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeptCases:
    """The file."""

    TYPE: ClassVar[str] = "kept_cases"
    cases: tuple[KeptCase, ...] = ()


class HelpFile:
    """Replaced in one rename whenever its content changes."""

    def __init__(self, path: Path | None) -> None:
        """None keeps nothing."""
        self._path = path
        self._written = KeptCases()

    def read(self) -> Sequence[KeptCase]:
        """What the gateway before knew; nothing where there was none, or its file is of another release."""
        if self._path is None or not self._path.exists():
            return ()
        try:
            found = codec.decode(self._path.read_text(), table(KeptCases))
        except (WireError, OSError, UnicodeDecodeError) as error:
            _LOG.warning("claims and watchers' requests of before cannot be read", extra={"cause": str(error)})
            return ()
        assert isinstance(found, KeptCases)
        return found.cases

    def write(self, cases: Sequence[KeptCase]) -> None:
        """Keep these; a disk that is full is said, and keeps nobody from being helped."""
        kept = KeptCases(cases=tuple(cases))
        if self._path is None or kept == self._written:
            return
        try:
            whole_file.write_text(self._path, codec.encode(kept))
        except OSError as error:
            _LOG.error("claims and watchers' requests are not kept", extra={"cause": str(error)})
        else:
            self._written = kept
