import numpy as np
import pytest

from policy.errors import SchemaError
from policy.transforms import Affine


def test_a_channel_that_never_moves_is_centred() -> None:
    affine = Affine.fit(np.array([[3.0, 1.0], [3.0, 2.0]], np.float32))
    assert affine.forward(np.array([3.0, 1.5], np.float32)).tolist() == [0, 0]
    assert affine.scale[0] == 1


@pytest.mark.parametrize("values", [np.zeros((0, 2)), np.array([[np.nan, 1.0]]), np.array([[np.inf, 1.0]])])
def test_statistics_of_nothing_or_of_nan_are_refused(values: np.ndarray) -> None:
    with pytest.raises(SchemaError, match="finite"):
        Affine.fit(values.astype(np.float32))


@pytest.mark.parametrize(("centre", "scale"), [([0.0], [0.0]), ([0.0], [-1.0]), ([np.nan], [1.0]), ([0.0, 1.0], [1.0])])
def test_a_transform_without_an_inverse_is_refused(centre: list[float], scale: list[float]) -> None:
    with pytest.raises(SchemaError):
        Affine(centre=np.array(centre, np.float32), scale=np.array(scale, np.float32))
