"""Robot units <-> model units: statistics from the data, an inverse that undoes them.

The statistics travel in the checkpoint. They are those of the base's demonstrations and stay the
same in later rounds, so that weights of every round mean the same thing.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from policy.errors import SchemaError
from policy.schema import Float32

_MIN_SCALE = 1e-6
"""A channel that never moved in the data is centred, not blown up."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Affine:
    """Per-channel centre and scale: model = (robot - centre) / scale."""

    centre: Float32
    """float32[channels], robot units."""
    scale: Float32
    """float32[channels], robot units per model unit; above 0."""

    def __post_init__(self) -> None:
        if self.centre.shape != self.scale.shape or self.centre.ndim != 1:
            raise SchemaError("centre and scale must be vectors of one length")
        if not (np.isfinite(self.centre).all() and np.isfinite(self.scale).all() and (self.scale > 0).all()):
            raise SchemaError("centre must be finite, scale finite and above 0")

    @classmethod
    def fit(cls, values: Float32) -> "Affine":
        """Mean and standard deviation over all axes but the last of float32[..., channels]."""
        rows = values.reshape(int(np.prod(values.shape[:-1])), values.shape[-1]).astype(np.float64)
        if len(rows) == 0 or not np.isfinite(rows).all():
            raise SchemaError("statistics need at least one row, all finite", num_rows=len(rows))
        scale = rows.std(axis=0)
        return cls(
            centre=rows.mean(axis=0).astype(np.float32),
            scale=np.where(scale > _MIN_SCALE, scale, 1.0).astype(np.float32),
        )

    def forward(self, values: Float32) -> Float32:
        """Robot units to model units, float32[..., channels]."""
        return ((values - self.centre) / self.scale).astype(np.float32)

    def inverse(self, values: Float32) -> Float32:
        """Model units to robot units, float32[..., channels]."""
        return (values * self.scale + self.centre).astype(np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Normaliser:
    """The three transforms of one policy."""

    state: Affine
    tactile: Affine
    action: Affine

    @classmethod
    def fit(cls, *, state: Float32, tactile: Float32, action: Float32) -> "Normaliser":
        """Statistics of float32[num_steps, S], [num_steps, T] and [num_steps, A].

        Raises:
            SchemaError: no steps, or a value that is not finite.
        """
        return cls(state=Affine.fit(state), tactile=Affine.fit(tactile), action=Affine.fit(action))

    def to_dict(self) -> dict[str, dict[str, list[float]]]:
        """Plain numbers; `from_dict` gives back bit-equal arrays."""
        return {
            field.name: {
                "centre": [float(value) for value in getattr(self, field.name).centre],
                "scale": [float(value) for value in getattr(self, field.name).scale],
            }
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Mapping[str, Sequence[float]]]) -> "Normaliser":
        """The inverse of `to_dict`.

        Raises:
            SchemaError: numbers that are no transform.
        """
        return cls(
            **{
                name: Affine(
                    centre=np.array(fields[name]["centre"], np.float32),
                    scale=np.array(fields[name]["scale"], np.float32),
                )
                for name in ("state", "tactile", "action")
            }
        )
