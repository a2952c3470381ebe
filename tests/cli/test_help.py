"""Help teaches, starts fast, and the reference in the documentation says the same."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from plasticish.cli.reference import reference

COMMANDS = (
    "learn", "predict", "why", "inspect", "resume", "train", "bench", "chat", "raise", "brain-scan",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


def test_help_names_every_command(plasticish):
    done = plasticish("--help")
    assert done.code == 0
    assert all(command in done.out for command in COMMANDS)
    assert "plasticish learn folder:photos" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example_and_the_common_options(plasticish, command):
    done = plasticish(command, "--help")
    assert done.code == 0
    assert f"    plasticish {command}" in done.out
    assert "--json" in done.out
    assert "--quiet" in done.out


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "plasticish", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"plasticish {version('plasticish')}\n"


def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from plasticish.cli.main import app\n"
        "from typer.testing import CliRunner\n"
        "for command in ('learn', 'train', 'chat', 'raise', 'brain-scan'):\n"
        "    assert CliRunner().invoke(app, [command, '--help']).exit_code == 0\n"
        "heavy = {'torch', 'numpy', 'matplotlib', 'sklearn', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_entry_point_prints_the_version():
    code = "import sys; sys.argv = ['plasticish', '--version']\n"
    code += "from plasticish.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"plasticish {version('plasticish')}\n"


def test_no_arguments_show_the_help(plasticish):
    done = plasticish()
    assert "plasticish learn" in done.out + done.err


def test_reference_is_up_to_date():
    written = (ROOT / "docs" / "cli.md").read_text()
    assert written == reference(), "run: python -m plasticish.cli.reference"
    assert all(f"## plasticish {command}" in written for command in COMMANDS)
