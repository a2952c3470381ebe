"""What is built is what runs: the wheel alone, in an environment that has no source tree."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = """
import sys
from plasticish.cli.main import main
sys.argv = ["plasticish", *{}]
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Make an environment of the wheel and of the packages that this interpreter has.

    What they are is read from the path, not from ``.pth`` files, so a source tree that is
    installed as editable here is not seen there.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(site), str(wheel)], check=True)
    places = [place for place in sys.path if place.endswith(("site-packages", "dist-packages"))]
    (site / "dependencies.pth").write_text("\n".join(places))
    return folder


def run(environment, where, *command):
    done = subprocess.run(
        [environment / "bin" / command[0], *command[1:]],
        cwd=where,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_the_package_and_nothing_beside_it(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"plasticish"}
    assert "plasticish/py.typed" in names
    assert not [name for name in names if name.endswith((".pyc", ".nbi", ".nbc"))]


def test_the_main_job_runs_from_it_in_an_empty_folder(environment, tmp_path):
    where = run(environment, tmp_path, "python", "-c", "import plasticish as p; print(p.__file__)")
    assert Path(where.strip()).is_relative_to(environment)
    folder = tmp_path / "empty"
    folder.mkdir()
    said = run(environment, folder, "python", "-c", COMMAND.format(["learn", "--json", "--quiet"]))
    report = json.loads(said)
    assert report["learners"]["brain"]["average_accuracy"] > 0.95
    assert {path.name for path in folder.iterdir()} == {"runs"}


def test_its_learners_are_found_by_name(environment, tmp_path):
    program = "from plasticish.core import LEARNERS; print(*LEARNERS)"
    said = run(environment, tmp_path, "python", "-c", program)
    assert {"plastic_brain", "plastic_memory", "conversational_learner"} <= set(said.split())


@pytest.mark.slow
@pytest.mark.skipif("PLASTICISH_REGISTRY" not in os.environ, reason="needs a package registry")
def test_it_installs_into_an_empty_environment_with_what_it_asks_for(wheel, tmp_path):
    """The whole thing: nothing is there but Python; some minutes, most of them for torch."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "new")], check=True)
    pip = [tmp_path / "new/bin/pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, "torch"], check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    report = json.loads(run(tmp_path / "new", tmp_path, "plasticish", "learn", "--json", "--quiet"))
    assert report["learners"]["brain"]["average_accuracy"] > 0.95
