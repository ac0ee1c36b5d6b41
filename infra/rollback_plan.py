"""What a rollback would do, robot by robot, without doing it."""

import dataclasses
from collections.abc import Iterable

from infra import releases, rollout_state
from infra.registry import PolicyRegistry
from infra.releases import CANARY, CHAMPION, Acting, CanaryCohort


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotChange:
    """One robot's next episodes, as things are and as they would be."""

    robot_id: str
    now: Acting | None
    then: Acting | None

    @property
    def changes(self) -> bool:
        """Whether it would run another version."""
        return (self.now and self.now.version) != (self.then and self.then.version)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RollbackPlan:
    """A rollback that did not happen."""

    champion: str
    """The version that would be rejected; empty where there is none."""
    target: str
    """The version that would be champion."""
    robots: tuple[RobotChange, ...]


def plan(
    registry: PolicyRegistry, cohort: CanaryCohort, robots: Iterable[str], *, version: str | None = None
) -> RollbackPlan:
    """What `releases.rollback` would make each of these robots run.

    Raises:
        ConfigError: there is nothing to go back to.
        WeightsRejected: no such version.
    """
    aliases = registry.aliases()
    champion, target = aliases.get(CHAMPION, ""), releases.rollback_target(aliases, version)
    registry.get(target)
    rollout = rollout_state.read(registry, aliases.get(CANARY))
    after = {**aliases, CHAMPION: target}
    if after.get(CANARY) in (champion, target):
        del after[CANARY]
    changes = tuple(
        RobotChange(
            robot_id=robot_id,
            now=releases.acting_of(aliases, rollout, robot_id, cohort),
            then=releases.acting_of(after, rollout, robot_id, cohort),
        )
        for robot_id in robots
    )
    return RollbackPlan(champion=champion, target=target, robots=changes)
