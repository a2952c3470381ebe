"""Nothing in the package can run what a file contains."""

import ast
from pathlib import Path

import pytest
import torch

from plasticish.core.messages import read_message, write_message

SOURCE = Path(__file__).resolve().parents[2] / "src" / "plasticish"
RUNS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "runpy"}
CALLS = {"eval", "exec", "compile", "__import__"}


def dangers(source: str) -> list[str]:
    """Return what in a source text could run code that it reads."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in RUNS_CODE]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in RUNS_CODE:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            found += dangerous_call(node)
    return found


def dangerous_call(call: ast.Call) -> list[str]:
    given = {key.arg: ast.unparse(key.value) for key in call.keywords}
    name = ast.unparse(call.func)
    if name in CALLS:
        return [name]
    if name == "torch.load" and given.get("weights_only") != "True":
        return [name]
    if name in {"np.load", "numpy.load"} and given.get("allow_pickle", "False") != "False":
        return [name]
    if name == "yaml.load" and given.get("Loader") not in {"yaml.BaseLoader", "yaml.SafeLoader"}:
        return [name]
    return []


def test_only_messages_between_own_processes_are_pickled():
    found = {
        path.relative_to(SOURCE).as_posix(): dangers(path.read_text())
        for path in SOURCE.rglob("*.py")
    }
    assert {place: what for place, what in found.items() if what} == {
        "core/messages.py": ["pickle"]
    }


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
    ],
)
def test_such_a_line_would_be_found(source):
    assert dangers(source)


def test_a_message_brings_tensors_to_the_bit():
    sent = {"x": torch.rand(3, generator=torch.Generator().manual_seed(0)), "n": 2}
    read = read_message(write_message(sent))
    assert torch.equal(read["x"], sent["x"])
    assert read["n"] == 2
