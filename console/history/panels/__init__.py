"""One module per family of panels; each function takes a `Question` and gives plain JSON values.

A panel that the data cannot fill gives None, and `learning` says why. Every row that stands for episodes
carries the query string that finds them.
"""
