"""The exception tree of the whole house, so that one look says what to catch.

    TouchlineError
    |-- ConfigError              a person's mistake: names the value, the bound and the fix
    |-- SchemaError              a value that does not fit the data contract or a spec
    |   |-- WireError            bytes that are not one of our messages
    |   `-- SignatureRefused     not signed by the one it claims to be from
    |-- BusError
    |   |-- BusUnavailable       the broker does not answer
    |   |   `-- BusRefused       it does, and refuses us: an account, a certificate or a right to mend
    |   `-- RecordTooLarge       one message over the topic's limit
    |-- LakeError
    |   `-- OffsetConflict       another writer committed the same topic-partition
    |-- RegistryError
    |   |-- RegistryUnavailable  the registry does not answer
    |   |   `-- RegistryRefused  it does, and this account may not do that
    |   `-- WeightsRejected      cut short, altered, not finite, or of another embodiment
    |-- LeaseRefused             somebody else holds the robot, or the epoch is old
    |-- GatewayLost              the gateway does not answer, or hung up
    |-- DeviceLost               an input device went away
    `-- SafetyStop               the robot refuses to move until a person clears it

Catch only where a retry or a skip is intended. Every error carries, as attributes, what is
needed to act on it.
"""


class TouchlineError(Exception):
    """Any error this project raises on purpose.

    Keyword arguments become attributes and are appended to the message, so that logs and handlers
    see the same identifiers.
    """

    def __init__(self, message: str, **details: object) -> None:
        self.details = details
        suffix = " ".join(f"{name}={value!r}" for name, value in details.items())
        super().__init__(f"{message} [{suffix}]" if suffix else message)


class ConfigError(TouchlineError, ValueError):
    """A setting that a person can mend."""


class SchemaError(TouchlineError, ValueError):
    """A value that does not fit the data contract or its embodiment."""


class WireError(SchemaError):
    """Bytes that are not a valid message of the topic they came from."""


class SignatureRefused(SchemaError):
    """Not signed, altered, or signed by somebody who may not say it."""


class BusError(TouchlineError):
    """The message bus failed."""


class BusUnavailable(BusError):
    """The broker does not answer; the caller may try again later."""


class BusRefused(BusUnavailable):
    """The broker refuses us until a person mends an account, a certificate or a right; records are kept meanwhile."""


class RecordTooLarge(BusError):
    """One message exceeds the topic's limit; trying again will not help."""


class LakeError(TouchlineError):
    """The Delta table failed."""


class OffsetConflict(LakeError):
    """Another writer has committed offsets of the same topic-partition."""


class RegistryError(TouchlineError):
    """The weights registry failed."""


class RegistryUnavailable(RegistryError):
    """The registry does not answer; the caller keeps its last good weights."""


class RegistryRefused(RegistryUnavailable):
    """The registry refuses this account until a person mends it; the caller keeps its last good weights."""


class WeightsRejected(RegistryError):
    """Weights that must not act; the caller keeps its last good ones."""


class LeaseRefused(TouchlineError):
    """The robot is held by somebody else, or the lease's epoch is old."""


class GatewayLost(TouchlineError):
    """The gateway does not answer, or hung up: a held robot holds still and then is LOST."""


class DeviceLost(TouchlineError):
    """An input device was unplugged or went silent."""


class SafetyStop(TouchlineError):
    """The robot is stopped and stays so until a person clears it."""
