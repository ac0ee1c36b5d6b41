"""The shadow: a version that proposes beside the champion and never acts.

Robots do not follow this alias. `touchline critic` does (`learner/live_shadow.py`): it computes what the shadow
would have done on a sample of live observations, and leaves the comparison in the version's tag.
"""

from collections.abc import Mapping

from infra.ledger import Ledger
from infra.registry import CHAMPION, PolicyRegistry
from policy.errors import ConfigError
from policy.schema import Release

SHADOW = "shadow"
SHADOW_TAG = "shadow_report"
"""On a version that was a shadow: how its proposals compare, as JSON (`learner/shadow_report.py`)."""


def set_shadow(registry: PolicyRegistry, ledger: Ledger, version: str, *, author: str, reason: str) -> Release:
    """Let a version propose beside the champion; whichever did so before ends. No robot acts on it.

    Raises:
        ConfigError: the version is the champion, which acts.
        WeightsRejected: no such version.
    """
    aliases = registry.aliases()
    if aliases.get(CHAMPION) == version:
        raise ConfigError("the champion acts already; a shadow is compared with it", version=version)
    registry.set_alias(SHADOW, version)
    before = aliases.get(SHADOW, "")
    return ledger.write("shadow", policy_version=version, previous_version=before, author=author, reason=reason)


def clear_shadow(registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str) -> Release:
    """Let nothing propose beside the champion.

    Raises:
        ConfigError: there is no shadow.
    """
    before = registry.alias(SHADOW)
    if before is None:
        raise ConfigError("there is no shadow to clear")
    registry.delete_alias(SHADOW)
    return ledger.write("shadow_end", policy_version="", previous_version=before, author=author, reason=reason)


def end_if_acting(registry: PolicyRegistry, aliases: Mapping[str, str], version: str) -> None:
    """A shadow that became the champion acts, so it is a shadow no more."""
    if aliases.get(SHADOW) == version:
        registry.delete_alias(SHADOW)
