"""One command per published figure: `python -m benchmarks` lists them."""
