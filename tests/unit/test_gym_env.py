"""Our task as a Gymnasium environment, by Gymnasium's own checker."""

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env

from robots.gym_env import environment_id

PLUG_INSERTION = environment_id("plug_insertion")


def test_gymnasium_accepts_it() -> None:
    env = gymnasium.make(PLUG_INSERTION, render_mode="rgb_array")
    check_env(env.unwrapped)


def test_an_episode_ends_with_a_reason() -> None:
    env = gymnasium.make(PLUG_INSERTION, render_mode="rgb_array")
    observation, _ = env.reset(seed=1)
    assert observation["instruction"].startswith("insert the plug")
    terminated = truncated = False
    while not (terminated or truncated):
        down = np.array([0, 0, -0.5], np.float32)
        _, reward, terminated, truncated, info = env.step(down)
    assert reward == 0
    assert info == {"is_success": False, "reason": "broken connector"}
    picture = np.asarray(env.render())
    assert picture.shape == (64, 64, 3)
