"""A person's right: what names an episode or an operator goes, and stays away.

    the list of removals -> every table's rows -> their files -> the learner's ring (`storage/replay.py`)

Weights that were trained on it keep what they learned, and Kafka keeps its messages until its own retention ends.
"""

import dataclasses
from collections.abc import Mapping

from infra.columns import field_types
from infra.topics import Topic
from policy.errors import ConfigError, LakeError
from storage.removals import Kind, Removals, hash_of, person_columns
from storage.shred import shred
from storage.sweep import requests_of, sweep
from storage.tables import KEPT_TOPICS, Lake, sql_text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Erased:
    """What became of a request."""

    num_rows: Mapping[str, int]
    """Rows that went or were changed, by table."""
    unfinished: Mapping[str, str]
    """Why a table is left to ingest, by table."""


def erase_episode(lake: Lake, removals: Removals, episode_id: str, *, author: str, reason: str) -> Erased:
    """Erase one episode.

    Raises:
        ConfigError: no row of the lake names it.
        LakeError: the list cannot be written; nothing was erased.
    """
    where = f"episode_id = {sql_text(episode_id)}"
    naming = [topic for topic in KEPT_TOPICS if "episode_id" in field_types(topic.record)]
    if not any(lake.read(topic, ["seq"], where).num_rows for topic in naming):
        raise ConfigError("no row of the lake names this episode", episode_id=episode_id)
    subjects = [(Kind.EPISODE, episode_id)]
    subjects += [(Kind.HELP_REQUEST, request_id) for request_id in requests_of(lake, [episode_id])]
    removals.add(subjects, author=author, reason=reason)
    return carry_out(lake, removals)


def erase_operator(lake: Lake, removals: Removals, name: str, *, author: str, reason: str) -> Erased:
    """Replace a person's name wherever a column names a person; episodes stay, and nobody's.

    Raises:
        ConfigError: no row of the lake names them.
        LakeError: the list cannot be written; nothing was erased.
    """
    if not any(_names(lake, topic, name) for topic in KEPT_TOPICS):
        raise ConfigError("no row of the lake names this operator")
    removals.add([(Kind.OPERATOR, hash_of(name))], author=author, reason=reason)
    return carry_out(lake, removals)


def carry_out(lake: Lake, removals: Removals) -> Erased:
    """Sweep every table for what ingest has not seen to; a table that others keep writing to is left to it.

    Raises:
        LakeError: the list cannot be read.
    """
    removals.refresh()
    num_rows, unfinished = {}, {}
    for topic in KEPT_TOPICS:
        try:
            num_rows[topic.name] = sweep(lake, topic, removals, removals.unswept())
        except LakeError as error:
            unfinished[topic.name] = str(error)
    return Erased(num_rows=num_rows, unfinished=unfinished)


def shred_all(lake: Lake) -> int:
    """Remove every replaced file of every table; returns how many.

    Raises:
        LakeError: the store failed; files may be left.
    """
    return sum(shred(lake, topic) for topic in KEPT_TOPICS)


def _names(lake: Lake, topic: Topic, name: str) -> bool:
    columns = [column for column in person_columns(topic) if column != "detail"]
    where = " OR ".join(f"{column} = {sql_text(name)}" for column in columns)
    return bool(columns) and lake.read(topic, columns, where).num_rows > 0
