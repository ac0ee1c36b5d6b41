"""Breaks a live fleet on purpose, and counts what is left; see `README.md`.

Above the demo: it may import everything, and nothing imports it.
"""
