"""How long episodes are kept, by where they come from; and which of them are older.

An episode goes whole: its steps, values, labels and all else that names it. What goes is written to the list
of removals first, so a robot that sends it once more does not bring it back.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from infra.registry import CHAMPION, PolicyRegistry
from infra.topics import EPISODES, STEPS
from policy.errors import ConfigError, SchemaError
from policy.schema import EXPERT_SOURCES, Source
from storage.episode_index import EndedEpisode, EpisodeIndex
from storage.figures import summary
from storage.pin import DataPin
from storage.removals import Kind, Removals
from storage.sweep import requests_of
from storage.tables import Lake

CORRECTED = "corrected"
"""Kind of an episode in which a person drove, whatever its source."""
_DAY_NS = 86_400 * 10**9


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetentionConfig:
    """Days after an episode's end that it is kept; 0 for ever."""

    rollout_days: float = 30.0
    """The released policy at work, where nobody helped."""
    corrected_days: float = 0.0
    """Episodes in which a person drove: what people's time went into."""
    demonstration_days: float = 0.0
    """Demonstrations by people or the scripted expert."""
    evaluation_days: float = 7.0
    """A version on held-out scenes; never trained on."""
    simulated_expert_days: float = 0.0
    """A policy trained by RL in simulation."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if not getattr(self, field.name) >= 0:
                raise ConfigError(f"retention.{field.name} must be at least 0", value=getattr(self, field.name))

    def days(self, kind: str) -> float:
        """Of one kind of episode (`kind_of`)."""
        found: float = getattr(self, f"{kind}_days", 0.0)
        return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetentionPlan:
    """What a policy would remove now."""

    old: Mapping[str, Sequence[EndedEpisode]]
    """Episodes to go, per kind."""
    num_champion: int
    """Older episodes that the champion was trained on, which stay unless asked for."""
    champion: str
    """Its version; empty where there is none."""
    bytes_per_step: float
    """Of the steps table, on average."""

    @property
    def episodes(self) -> list[EndedEpisode]:
        """All to go."""
        return [episode for some in self.old.values() for episode in some]


def kind_of(episode: EndedEpisode) -> str:
    """What decides how long an episode is kept: its source, or that a person helped."""
    if episode.num_correction_steps and episode.source == Source.ROLLOUT:
        return CORRECTED
    return episode.source


def champion_pin(registry: PolicyRegistry) -> tuple[str, DataPin | None]:
    """The champion's version and its training set; neither where there is none.

    Raises:
        RegistryUnavailable: nobody knows.
    """
    version = registry.alias(CHAMPION)
    if version is None:
        return "", None
    try:
        return version, DataPin.from_json(registry.get(version).tags.get("data_pin", ""))
    except SchemaError:
        return version, None  # its training set has no name: nothing of it can be spared


def plan(
    lake: Lake, config: RetentionConfig, now_ns: int, champion: tuple[str, DataPin | None], *, spares_champion: bool
) -> RetentionPlan:
    """Find the episodes that are older than they may be.

    Raises:
        LakeError: the lake cannot be read.
    """
    index = EpisodeIndex(lake)
    index.refresh()
    old: dict[str, list[EndedEpisode]] = {}
    version, pin = champion
    num_champion = 0
    for episode in index.episodes.values():
        kind = kind_of(episode)
        days = config.days(kind)
        if not days or episode.ended_ns >= now_ns - days * _DAY_NS:
            continue
        is_pinned = pin is not None and _is_named(pin, episode)
        num_champion += is_pinned
        if not (is_pinned and spares_champion):
            old.setdefault(kind, []).append(episode)
    steps = summary(lake, STEPS)
    return RetentionPlan(
        old=old,
        num_champion=num_champion,
        champion=version,
        bytes_per_step=steps.num_bytes / steps.num_rows if steps.num_rows else 0.0,
    )


def carry_out(lake: Lake, todo: RetentionPlan, removals: Removals, *, author: str) -> None:
    """Write a plan's episodes to the list of removals; a sweep takes their rows.

    Raises:
        LakeError: the lake cannot be read or written.
    """
    episode_ids = [episode.episode_id for episode in todo.episodes]
    subjects = [(Kind.EPISODE, episode_id) for episode_id in episode_ids]
    subjects += [(Kind.HELP_REQUEST, request_id) for request_id in requests_of(lake, episode_ids)]
    if subjects:
        removals.add(subjects, author=author, reason="retention")


def _is_named(pin: DataPin, episode: EndedEpisode) -> bool:
    last = max(pin.offsets.get(EPISODES.name, {}).values(), default=-1)
    return (
        (pin.floor < episode.kafka_offset or episode.source in EXPERT_SOURCES)
        and episode.kafka_offset <= last
        and episode.spec_id == pin.spec_id
        and episode.source != Source.EVALUATION
    )
