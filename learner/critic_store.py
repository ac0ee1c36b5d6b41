"""Where critics are published and followed: a registered model of their own, beside the policy's.

    learner   offer(...)       -> version, alias `current` (only a critic that passed its bar)
    critic    CriticFollower   <- alias `current`, verified; else the last good one goes on

Robots follow the policy's model alone, so a critic costs them neither a byte nor a look.
"""

import dataclasses
import logging
import shutil
import tempfile
import threading
import time
from pathlib import Path

from infra import weight_signing
from infra.credentials import Credential
from infra.registry import SPEC_TAG, MlflowConfig, PolicyRegistry
from infra.weight_signing import Trust
from learner import critic_checkpoint
from learner.critic_checkpoint import Critic
from learner.labels import Labels
from policy.errors import RegistryError, WeightsRejected

_LOG = logging.getLogger(__name__)
CURRENT = "current"
"""Alias of the newest critic that passed its bar."""
NOT_TRUSTED_TAG = "not_trusted"
"""On the model: why the newest critic did not pass, in words; absent where it did."""
CRITIC_TAG = "critic_version"
_MAX_TAG_CHARS = 400
_RETRY_REFUSED_S = 60.0
"""A download that was cut may heal; a version that is damaged never does."""


def registry_config(config: MlflowConfig) -> MlflowConfig:
    """Where the critics of a fleet are, given where its weights are."""
    return dataclasses.replace(config, model=f"{config.model}-critic", experiment=f"{config.experiment}-critic")


def offer(registry: PolicyRegistry, labels: Labels, *, critic_version: str, signer: Credential | None = None) -> None:
    """Publish the critic behind some labels, if one was asked; where it did not pass its bar, only say why.

    Training does not wait for a registry that is away: the live critic then goes on with the last one.
    """
    if labels.report is None:
        return
    try:
        if labels.critic is None or not labels.report.is_trusted:
            registry.set_model_tag(NOT_TRUSTED_TAG, labels.report.reason[:_MAX_TAG_CHARS])
        else:
            critic = dataclasses.replace(labels.critic, version=critic_version)
            publish(registry, critic, ranking=labels.report.ranking, auc=labels.report.auc, signer=signer)
    except RegistryError as error:
        _LOG.warning("critic not published: %s", error)


def publish(
    registry: PolicyRegistry, critic: Critic, *, ranking: float, auc: float, signer: Credential | None = None
) -> str:
    """Make a critic the current one, uploading it at most once; returns its version in the registry.

    Args:
        registry: of `registry_config`.
        critic: with its version.
        ranking: as measured on held-out episodes.
        auc: the same.
        signer: the publisher; who follows critics takes no unsigned ones.

    Raises:
        RegistryError: it could not be published; nothing changed for who follows.
    """
    known = (found for found in registry.versions() if found.tags.get(CRITIC_TAG) == critic.version)
    ours = (v.version for v in known if signer is None or weight_signing.is_signed_by(signer, v, weight_signing.CRITIC))
    version = next(ours, None) or _upload(registry, critic, ranking, auc, signer)
    registry.set_alias(CURRENT, version)
    registry.set_model_tag(NOT_TRUSTED_TAG, "")
    return version


def _upload(registry: PolicyRegistry, critic: Critic, ranking: float, auc: float, signer: Credential | None) -> str:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "critic"
        critic_checkpoint.save(directory, critic)
        tags = {SPEC_TAG: critic.spec.spec_id, CRITIC_TAG: critic.version}
        version = registry.publish(directory, tags=tags, metrics={"ranking": ranking, "auc": auc})
    if signer is not None:
        weight_signing.sign_weights(registry, signer, version, weight_signing.CRITIC)
    return version.version


class CriticFollower:
    """The current critic, looked for on a thread of its own: a registry that is slow delays no value."""

    def __init__(self, registry: PolicyRegistry, directory: Path, *, poll_s: float, trust: Trust | None = None) -> None:
        """`directory` is this process's alone; `trust` None takes whatever the registry has (tests)."""
        self._registry, self._directory, self._poll_s, self._trust = registry, directory, poll_s, trust
        self._version = ""
        self._refused = ""
        self._retry_refused_s = 0.0
        self.current: Critic | None = None
        """What to score with; replaced whole, from one moment to the next."""
        self.status = "no critic has been looked for yet"
        """In words: what scores, or why nothing does."""

    def run(self, stopping: threading.Event) -> None:
        """Look again and again until told to stop."""
        while not stopping.is_set():
            try:
                self.look()
            except RegistryError as error:
                self._say(f"cannot look for a critic now: {error}")
            stopping.wait(self._poll_s)

    def look(self) -> None:
        """Take the current critic up, if it is a new one and whole.

        Raises:
            RegistryUnavailable: the registry does not answer; what scores goes on.
        """
        version = self._registry.alias(CURRENT)
        if version is None:
            reason = self._registry.model_tags().get(NOT_TRUSTED_TAG)
            self._say(f"no critic is trusted yet: {reason}" if reason else "no critic has been published yet")
        elif version != self._version and (version != self._refused or time.monotonic() > self._retry_refused_s):
            self._take_up(version)

    def _take_up(self, version: str) -> None:
        try:
            found = self._registry.get(version)
            path = weight_signing.fetch(self._registry, found, self._directory, self._trust, weight_signing.CRITIC)
            critic = critic_checkpoint.load(path)
            if critic.spec.spec_id != found.spec_id:
                raise WeightsRejected("the critic is of another embodiment than it says", version=version)
        except WeightsRejected as error:
            self._refused, self._retry_refused_s = version, time.monotonic() + _RETRY_REFUSED_S
            instead = "the last good one goes on" if self.current else "nothing scores"
            self._say(f"critic refused, {instead}: {error}")
            return
        self.current, self._version, self._refused = critic, version, ""
        self._say(f"scoring with critic {critic.version} (version {version})")
        for old in self._directory.iterdir():
            if old.name != version:
                shutil.rmtree(old, ignore_errors=True)

    def _say(self, status: str) -> None:
        if status != self.status:
            self.status = status
            _LOG.info(status)
