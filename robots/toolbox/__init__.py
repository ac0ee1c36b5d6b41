"""Two-arm toolbox packing: one hand holds the lid, the other packs a tool, both by touch. See ../README.md."""
