.PHONY: demo test check bench
demo:
	scripts/demo
test:
	scripts/test
check:
	scripts/install
	scripts/check
bench:
	scripts/install
	.venv/bin/python -m benchmarks $(or $(NAME),all)
