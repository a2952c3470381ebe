"""A command line that keeps its cache to itself, and one brain of digits for all to ask."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from plasticish.cli.main import app


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Nothing is read from or left in the cache of this user."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PLASTICISH_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("COLUMNS", "160")  # the paths of a test are long
    patch.delenv("PLASTICISH_DATA", raising=False)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def plasticish():
    """Run a command in this process."""

    def run(*arguments):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture(scope="session")
def digits(plasticish, tmp_path_factory):
    """A run that learned the digits, five after five, and what it printed as JSON."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    done = plasticish("learn", "--out", folder, "--classes-per-task", 5, "--json")
    assert done.code == 0, done.err
    return SimpleNamespace(folder=folder, report=json.loads(done.out), err=done.err)
