"""What pytest does not look for examples in: modules that cannot be imported here or alone."""

from importlib.util import find_spec

# Run by a test, in a process of its own that finds its neighbours by another path.
collect_ignore = ["tests/contract/fresh.py"]
if find_spec("avalanche") is None:
    adapters = ("avalanche_plugins", "avalanche_strategy")
    collect_ignore += [f"src/plasticish/estimators/{name}.py" for name in adapters]
