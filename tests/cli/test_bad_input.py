"""Whatever is wrong: one line on stderr, exit code 2, and nothing made or changed."""

import json

import pytest

from plasticish.cli.train_config import TrainConfig


def assert_refused(done, *words):
    assert done.code == 2
    assert done.out == ""
    lines = done.err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("plasticish: ")
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("folder:/nowhere/at/all",), ("/nowhere/at/all cannot be read",)),
        (("folder:",), ("folder needs a path",)),
        (("digitz",), ("unknown source", "'digitz'", "cifar10, digits, fashion, folder")),
        (("cifar10:/nowhere",), ("CIFAR-10 was not found",)),
        (("--batch-size", 0), ("batch_size",)),
        (("--epochs", -1), ("epochs",)),
        (("--classes-per-task", 0), ("classes_per_task",)),
        (("--seed", -1), ("seed",)),
        (("--brain", "/nowhere"), ("/nowhere is not a checkpoint",)),
    ],
)
def test_learn_refuses(plasticish, tmp_path, arguments, words):
    done = plasticish("learn", *arguments, "--out", tmp_path / "run")
    assert_refused(done, *words)
    assert not (tmp_path / "run").exists()


def test_a_folder_of_something_else_is_left_alone(plasticish, tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years of work")
    for options in ((), ("--force",)):
        done = plasticish("learn", "--out", tmp_path, *options)
        assert_refused(done, "holds something else", "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


def test_an_earlier_run_is_not_overwritten(plasticish, digits):
    before = (digits.folder / "report.json").read_bytes()
    assert_refused(plasticish("learn", "--out", digits.folder), "holds a run already", "--force")
    assert (digits.folder / "report.json").read_bytes() == before


def test_a_brain_is_not_taught_on_in_its_own_folder(plasticish, digits):
    done = plasticish("learn", "--brain", digits.folder, "--out", digits.folder, "--force")
    assert_refused(done, "its own folder")
    assert (digits.folder / "brain").is_dir()


@pytest.mark.parametrize("command", ["predict", "why"])
def test_a_brain_that_is_none(plasticish, tmp_path, command):
    image = tmp_path / "a.png"
    assert_refused(plasticish(command, tmp_path / "none", image), "is not a checkpoint")
    (tmp_path / "config.json").write_text('{"name": "somebody else\'s"}')
    assert_refused(plasticish(command, tmp_path, image), "foreign folder")
    (tmp_path / "config.json").write_text("{")
    assert_refused(plasticish(command, tmp_path, image), "damaged")


def test_an_image_that_is_none(plasticish, digits, tmp_path):
    image = tmp_path / "a.png"
    image.write_bytes(b"not an image")
    assert_refused(plasticish("predict", digits.folder, image), "a.png", "no known image format")
    done = plasticish("why", digits.folder, image, "--out", tmp_path / "why.png")
    assert_refused(done, "a.png", "no known image format")
    assert not (tmp_path / "why.png").exists()


def test_a_checkpoint_of_another_kind(plasticish, digits, tmp_path):
    done = plasticish("predict", digits.folder / "exam", tmp_path / "a.png")
    assert_refused(done, "another kind", "'exam'")


def test_an_unfinished_run_says_how_to_go_on(plasticish, digits, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_bytes((digits.folder / "config.json").read_bytes())
    done = plasticish("predict", run, tmp_path / "a.png")
    assert_refused(done, "is not finished", f"plasticish resume {run}")


def test_a_run_of_a_newer_version(plasticish, digits, tmp_path):
    config = json.loads((digits.folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"format_version": 99}))
    for command in ("resume", "inspect"):
        assert_refused(plasticish(command, tmp_path), "version 99")


def test_a_run_whose_configuration_lacks_something(plasticish, digits, tmp_path):
    config = json.loads((digits.folder / "config.json").read_text())
    del config["order"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert_refused(plasticish("resume", tmp_path), "damaged", "order")


@pytest.mark.parametrize("command", ["inspect", "resume"])
def test_a_folder_that_is_none(plasticish, tmp_path, command):
    assert_refused(plasticish(command, tmp_path / "none"), "none")
    assert_refused(plasticish(command, tmp_path), str(tmp_path))


def test_a_scenario_that_is_none(plasticish):
    assert_refused(plasticish("bench", "see/nothing"), "see/nothing", "see/split-digits")


def test_bench_lists_its_scenarios(plasticish):
    listed = json.loads(plasticish("bench", "--list", "--json").out)["scenarios"]
    assert "see/split-digits" in [scenario["id"] for scenario in listed]
    assert "see/split-digits" in plasticish("bench").out


@pytest.mark.parametrize("command", ["inspect", "learn", "predict", "resume"])
def test_a_name_that_no_file_system_takes(plasticish, tmp_path, command):
    image = [tmp_path / "a.png"] if command == "predict" else []
    assert_refused(plasticish(command, "[" * 5000, *image), "File name too long")


def test_force_replaces_no_run_of_another_command(plasticish, tmp_path):
    TrainConfig().settled().save(tmp_path)
    done = plasticish("learn", "--out", tmp_path, "--force")
    assert_refused(done, "holds something else", "Choose another --out")
    assert {path.name for path in tmp_path.iterdir()} == {"config.json"}
