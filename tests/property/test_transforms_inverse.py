import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from policy.transforms import Affine, Normaliser

ROWS = arrays.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(3)), elements=st.floats(-1e3, 1e3, width=32))


@given(ROWS)
def test_the_inverse_undoes_the_transform(values: np.ndarray) -> None:
    affine = Affine.fit(values)
    back = affine.inverse(affine.forward(values))
    np.testing.assert_allclose(back, values, rtol=1e-5, atol=1e-3)


@given(ROWS)
def test_model_units_are_centred_and_scaled(values: np.ndarray) -> None:
    model = Affine.fit(values).forward(values).astype(np.float64)
    moved = values.std(axis=0) > 1e-2
    np.testing.assert_allclose(model.mean(axis=0)[moved], 0, atol=0.05)
    np.testing.assert_allclose(model.std(axis=0)[moved], 1, atol=0.05)


@given(ROWS, ROWS, ROWS)
def test_statistics_survive_json_bit_by_bit(state: np.ndarray, tactile: np.ndarray, action: np.ndarray) -> None:
    normaliser = Normaliser.fit(state=state, tactile=tactile, action=action)
    again = Normaliser.from_dict(json.loads(json.dumps(normaliser.to_dict())))
    for name in ("state", "tactile", "action"):
        ours, theirs = getattr(normaliser, name), getattr(again, name)
        assert ours.centre.tobytes() == theirs.centre.tobytes()
        assert ours.scale.tobytes() == theirs.scale.tobytes()
