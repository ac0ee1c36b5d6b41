"""DataPin: the name of one exact training set.

Offsets say which rows there were, so the set can be made again after old table versions are cleaned
away; versions are kept as well, for people who look into the table while they exist.
"""

import dataclasses
import json
from collections.abc import Mapping

from policy.errors import SchemaError

Offsets = Mapping[int, int]
"""Last offset per partition."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataPin:
    """What a replay could draw at one moment."""

    spec_id: str
    offsets: Mapping[str, Offsets]
    """Per topic (steps, episodes, labels): rows at or below these were read."""
    floor: int
    """Episodes at or below this offset of the episodes topic had left the ring, but for experts'; -1 for none."""
    num_episodes: int
    """Complete episodes; checked when the set is made again."""
    num_steps: int
    """Their steps."""
    versions: Mapping[str, int]
    """Table version per topic, while the log keeps it."""

    def to_json(self) -> str:
        """Canonical JSON, as stored with a candidate."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "DataPin":
        """The inverse of `to_json`.

        Raises:
            SchemaError: the text is not a pin.
        """
        try:
            fields = json.loads(text)
            offsets = {
                topic: {int(partition): int(offset) for partition, offset in positions.items()}
                for topic, positions in fields.pop("offsets").items()
            }
            return cls(offsets=offsets, **fields)
        except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise SchemaError("not a data pin", cause=str(error)) from error
