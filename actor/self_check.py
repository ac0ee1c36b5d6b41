"""What one robot notices about itself while it works, as needs for a person, gravest first."""

from actor.asking import HelpConfig
from actor.doubt import Calibration, Doubt
from actor.needs import NO_PROGRESS, SPREAD, WATCHDOG, Need, lost, stopped
from actor.stuck import StuckDetector
from actor.watchdog import Watchdog
from corrections.intervention import People
from policy.schema import ControlMode, Float32
from policy.spec import EmbodimentSpec


def calibration_of(config: HelpConfig) -> Calibration:
    """For all robots of a process."""
    return Calibration(
        coverage=config.spread_coverage,
        min_episodes=config.spread_min_episodes,
        max_episodes=config.spread_max_episodes,
    )


class SelfCheck:
    """Progress, rhythm and doubt of one robot."""

    def __init__(
        self, spec: EmbodimentSpec, stuck: StuckDetector, config: HelpConfig, calibration: Calibration
    ) -> None:
        self._stuck = stuck
        self._watchdog = Watchdog(config.late_tick_s, config.late_chunk_s)
        self._doubt = Doubt(spec, calibration)
        self._late = ""

    def begin(self) -> None:
        """A new episode."""
        self._doubt.begin()
        self.reset()

    def reset(self) -> None:
        """A person took or gave the robot back."""
        self._stuck.reset()
        self._watchdog.reset()
        self._doubt.calm()
        self._late = ""

    def must_hold(self, now_ns: int, *, is_real_time: bool, has_action: bool) -> bool:
        """Whether the policy's action must not be executed in this tick: the machinery is late."""
        if is_real_time:
            self._late = self._watchdog.tick(now_ns, has_action=has_action)
        else:
            self._watchdog.reset()
            self._late = ""
        return bool(self._late)

    def look(self, samples: Float32 | None) -> None:
        """Take the chunks float32[K, H, A] that the policy drew for one observation, where it did."""
        self._doubt.look(samples)

    def end(self, *, is_autonomous_success: bool) -> None:
        """The episode is over."""
        self._doubt.end(is_autonomous_success=is_autonomous_success)

    def needs(self, mode: ControlMode, people: People, state: Float32) -> list[Need]:
        """Why the robot wants a person after this tick; empty if it does not, or one is there."""
        match mode:
            case ControlMode.AUTONOMOUS:
                reasons = {
                    WATCHDOG: self._late,
                    NO_PROGRESS: self._stuck.update(state),
                    SPREAD: self._doubt.reason(),
                }
                return [Need(trigger=trigger, reason=reason) for trigger, reason in reasons.items() if reason]
            case ControlMode.LOST:
                return [lost()]
            case ControlMode.STOPPED:
                return [stopped(people.stop.reason if people.stop else "")]
            case _:
                return []
