"""Which version is the shadow, loaded and verified as a robot would; and where its report goes.

On a thread of its own, because registry and disk may be slow: nothing here delays a live value.
"""

import dataclasses
import logging
import shutil
import threading
import time
from pathlib import Path

import numpy as np

from infra import weight_signing
from infra.registry import CHAMPION, PolicyRegistry
from infra.shadow import SHADOW, SHADOW_TAG
from infra.weight_signing import Trust
from learner.fast_gate import warm_up
from learner.live_shadow import LiveShadow, Shadow
from learner.shadow_report import ShadowReport
from policy import checkpoint
from policy.errors import RegistryError, WeightsRejected
from policy.flow import Guidance

_LOG = logging.getLogger(__name__)
_RETRY_REFUSED_S = 60.0


class ShadowFollower:
    """The present shadow and champion, looked for again and again."""

    def __init__(
        self, registry: PolicyRegistry, directory: Path, live: LiveShadow, *, trust: Trust | None = None
    ) -> None:
        """`directory` is this process's alone, `live` makes the reports; `trust` None takes any weights (tests)."""
        self._registry, self._directory, self._live, self._trust = registry, directory, live, trust
        self._refused, self._retry_s = "", 0.0
        self._published: ShadowReport | None = None
        self._published_s = time.monotonic()
        self.current: Shadow | None = None
        """What to compare; replaced whole, from one moment to the next."""
        self.status = "no shadow"
        """In words."""

    def run(self, stopping: threading.Event) -> None:
        """Follow until told to stop."""
        while not stopping.is_set():
            try:
                self.look()
                if time.monotonic() - self._published_s >= self._live.config.publish_s:
                    self.publish()
            except RegistryError as error:
                self._say(f"cannot look for a shadow now: {error}")
            stopping.wait(self._live.config.poll_s)

    def look(self) -> None:
        """Take up what the aliases say.

        Raises:
            RegistryUnavailable: the registry does not answer; what is compared goes on.
        """
        aliases = self._registry.aliases()
        version, champion = aliases.get(SHADOW), aliases.get(CHAMPION)
        if version is None or champion is None or version == champion:
            self.current = None
            self._say("no shadow")
        elif self.current is not None and self.current.version == version:
            if self.current.champion != champion:
                self.current = dataclasses.replace(self.current, champion=champion)
        elif version != self._refused or time.monotonic() >= self._retry_s:
            self._take_up(version, champion)

    def publish(self) -> None:
        """Leave the newest report in its version's tag.

        Raises:
            RegistryUnavailable: the registry does not answer; the next call tries again.
        """
        report = self._live.report
        if report is not None and report is not self._published:
            self._registry.set_tag(report.version, SHADOW_TAG, report.to_json())
            self._published = report
        self._published_s = time.monotonic()

    def _take_up(self, version: str, champion: str) -> None:
        self.current = None
        try:
            self.current = self._load(version, champion)
        except WeightsRejected as error:
            self._refused, self._retry_s = version, time.monotonic() + _RETRY_REFUSED_S
            self._say(f"shadow refused: {error}")
            return
        self._refused = ""
        self._say(f"version {version} proposes beside the champion")
        for old in self._directory.iterdir():
            if old.name != version:
                shutil.rmtree(old, ignore_errors=True)

    def _load(self, version: str, champion: str) -> Shadow:
        record = self._registry.get(version)
        policy = checkpoint.load(weight_signing.fetch(self._registry, record, self._directory, self._trust))
        if policy.spec.spec_id != record.spec_id:
            raise WeightsRejected("the weights are of another embodiment than they say", version=version)
        shadow = Shadow(version=version, champion=champion, policy=policy, guidance=Guidance.from_tags(record.tags))
        if not np.isfinite(warm_up(policy, shadow.guidance)).all():
            raise WeightsRejected("the policy does not give finite chunks", version=version)
        return shadow

    def _say(self, status: str) -> None:
        if status != self.status:
            self.status = status
            _LOG.info(status)
