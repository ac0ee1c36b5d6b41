"""The freeze: promotions stop until somebody thaws them or it expires; a rollback or an abort goes through."""

import dataclasses
import json
import time

from infra.ledger import Ledger
from infra.registry import CHAMPION, PolicyRegistry
from policy.errors import ConfigError
from policy.schema import Release

_TAG = "freeze"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Freeze:
    """Promotions are stopped."""

    author: str
    reason: str
    since_ns: int
    expires_ns: int
    """0 for never."""


def freeze(registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str, expires_ns: int = 0) -> Release:
    """Stop promotions, new canaries and wider stages until `expires_ns` (0 for never) or `thaw`."""
    state = Freeze(author=author, reason=reason, since_ns=time.time_ns(), expires_ns=expires_ns)
    registry.set_model_tag(_TAG, json.dumps(dataclasses.asdict(state)))
    return _write(registry, ledger, "freeze", author, reason)


def thaw(registry: PolicyRegistry, ledger: Ledger, *, author: str, reason: str) -> Release:
    """Allow promotions again."""
    registry.set_model_tag(_TAG, "")
    return _write(registry, ledger, "thaw", author, reason)


def freeze_state(registry: PolicyRegistry, now_ns: int | None = None) -> Freeze | None:
    """The freeze that is in force."""
    text = registry.model_tags().get(_TAG)
    if not text:
        return None
    state = Freeze(**json.loads(text))
    now_ns = time.time_ns() if now_ns is None else now_ns
    return None if 0 < state.expires_ns <= now_ns else state


def is_frozen(registry: PolicyRegistry, now_ns: int | None = None) -> bool:
    """Whether promotions are stopped."""
    return freeze_state(registry, now_ns) is not None


def refuse_if_frozen(registry: PolicyRegistry) -> None:
    """Stop here while promotions are frozen.

    Raises:
        ConfigError: they are; it says by whom and why.
    """
    if state := freeze_state(registry):
        raise ConfigError(
            "promotions are frozen; touchline thaw ends that, --force ignores it",
            author=state.author,
            reason=state.reason,
        )


def _write(registry: PolicyRegistry, ledger: Ledger, event: str, author: str, reason: str) -> Release:
    champion = registry.alias(CHAMPION) or ""
    return ledger.write(event, policy_version=champion, previous_version=champion, author=author, reason=reason)
