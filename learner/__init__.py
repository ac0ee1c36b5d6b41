"""From pinned data to released weights: label, train, publish, judge. Read `training_loop.py` first."""
