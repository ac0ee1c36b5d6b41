"""Robots at work: observe, infer, arbitrate, guard, apply, record. Read `control_loop.py` first."""
