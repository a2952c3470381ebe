"""The main job on the bundled digits: learned, kept, reported, and asked about images."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from plasticish.cli.sight import DigitSight
from plasticish.data import load_digits
from plasticish.metrics import average_accuracy, forgetting
from plasticish.vision import PlasticBrain


def test_brain_keeps_what_the_naive_network_forgets(digits):
    learners = digits.report["learners"]
    assert learners["brain"]["average_accuracy"] > 0.97
    assert learners["brain"]["retention"] > 0.97
    assert learners["naive"]["retention"] < 0.2
    assert "naive_standardised" in learners


def test_report_follows_from_its_matrices(digits):
    for who, matrix in digits.report["matrices"].items():
        R = torch.tensor([[math.nan if v is None else v for v in row] for row in matrix])
        stated = digits.report["learners"][who]
        assert stated["average_accuracy"] == pytest.approx(average_accuracy(R), abs=1e-6)
        assert stated["forgetting"] == pytest.approx(forgetting(R), abs=1e-6)
        assert stated["retention"] == pytest.approx(float(R[1, 0] / R[0, 0]), abs=1e-6)
        assert matrix[0][1] is None


def test_run_folder_holds_everything(digits):
    names = {path.name for path in digits.folder.iterdir() if not path.name.startswith(".")}
    files = {"config.json", "report.json", "report.png", "history.json"}
    assert names == files | {"brain", "exam", "naive"}
    assert size_of(digits.folder / "report.png") > (800, 600)
    written = json.loads((digits.folder / "report.json").read_text())
    assert {**written, "run": str(digits.folder)} == digits.report


def size_of(path):
    """Width and height of an image file in pixels."""
    with Image.open(path) as image:
        return image.size


def test_final_accuracy_is_that_of_the_saved_brain(digits):
    brain, test = PlasticBrain.load(digits.folder / "brain"), load_digits().test
    hit = (brain.predict(test.inputs) == test.labels).double()
    for row, classes in enumerate(((0, 1, 2, 3, 4), (5, 6, 7, 8, 9))):
        asked = torch.isin(test.labels, torch.tensor(classes))
        stated = digits.report["matrices"]["brain"][-1][row]
        assert stated == pytest.approx(float(hit[asked].mean()), abs=1e-6)


def test_json_is_alone_on_stdout_and_nothing_is_on_stderr(digits):
    assert digits.err == ""


def test_a_finished_run_is_reported_again(plasticish, digits):
    done = plasticish("resume", digits.folder)
    assert done.code == 0
    assert "finished already" in done.err
    assert "naive network" in done.out
    assert "plasticish predict" in done.out
    assert json.loads(plasticish("resume", digits.folder, "--json").out) == digits.report


def save_digit(path, pixels, *, paper=True, scale=9, margin=(30, 17)):
    """Draw an 8x8 digit as somebody would: dark on light paper, off the centre."""
    big = np.kron(np.asarray(pixels), np.ones((scale, scale)))
    page = np.pad(big, ((margin[0], 10), (margin[1], 25)))
    grey = (255 * (1 - page if paper else page)).astype(np.uint8)
    Image.fromarray(grey).save(path)
    return path


@pytest.mark.parametrize("paper", [True, False])
def test_predict_reads_drawn_digits(plasticish, digits, tmp_path, paper):
    test = load_digits().test
    rows = range(0, 400, 10)
    images = [
        save_digit(tmp_path / f"{row}.png", test.inputs[row].reshape(8, 8), paper=paper)
        for row in rows
    ]
    done = plasticish("predict", digits.folder, *images, "--json")
    assert done.code == 0
    answers = json.loads(done.out)["answers"]
    assert [answer["image"] for answer in answers] == [str(image) for image in images]
    truths = [str(int(test.labels[row])) for row in rows]
    right = [a["label"] == truth for a, truth in zip(answers, truths, strict=True)]
    assert sum(right) >= 0.85 * len(right)
    for answer in answers:
        assert answer["confidence"] == max(answer["probabilities"].values())
        assert answer["novel"] == (answer["novelty"] > answer["novelty_threshold"])


def test_eight_by_eight_pixels_are_taken_as_they_are(plasticish, digits, tmp_path):
    test = load_digits().test
    pixels = (test.inputs[:3].reshape(3, 8, 8) * 255).round().to(torch.uint8)
    for row, image in enumerate(pixels):
        Image.fromarray(image.numpy()).save(tmp_path / f"{row}.png")
    assert torch.allclose(DigitSight()(pixels[:, None]), test.inputs[:3], atol=1 / 255)
    done = plasticish("predict", digits.folder / "brain", *sorted(tmp_path.iterdir()), "--json")
    answers = json.loads(done.out)["answers"]
    proba = PlasticBrain.load(digits.folder / "brain").predict_proba(test.inputs[:3])
    for answer, vote in zip(answers, proba, strict=True):
        assert answer["label"] == str(int(vote.argmax()))
        assert answer["confidence"] == pytest.approx(float(vote.max()), abs=0.02)


def test_a_stranger_is_called_one(plasticish, digits, tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (8, 8)).astype(np.uint8)).save(tmp_path / "noise.png")
    done = plasticish("predict", digits.folder, tmp_path / "noise.png")
    assert done.code == 0
    assert "never seen anything like it" in done.out
    answers = json.loads(plasticish("predict", digits.folder, tmp_path / "noise.png", "--json").out)
    assert answers["answers"][0]["novel"] is True


def test_an_unreadable_image_is_named_and_the_others_answered(plasticish, digits, tmp_path):
    good = save_digit(tmp_path / "good.png", load_digits().test.inputs[0].reshape(8, 8))
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"not an image")
    done = plasticish("predict", digits.folder, bad, good)
    assert done.code == 2
    assert "good.png" in done.out
    assert done.err.startswith(f"plasticish: {bad} cannot be read")
    found = json.loads(plasticish("predict", digits.folder, bad, good, "--json").out)
    assert len(found["answers"]) == len(found["errors"]) == 1


def test_why_draws_and_tells(plasticish, digits, tmp_path):
    image = save_digit(tmp_path / "a.png", load_digits().test.inputs[7].reshape(8, 8))
    out = tmp_path / "deeper" / "why.png"
    done = plasticish("why", digits.folder, image, "--out", out)
    assert done.code == 0
    assert size_of(out) > (800, 400)
    assert all(word in done.out for word in ("hippocampus", "cortex", "memories that woke"))
    thought = json.loads(plasticish("why", digits.folder, image, "--out", out, "--json").out)
    assert thought["label"] in thought["memories"]
    assert thought["picture"] == str(out)


def test_inspect_run_and_brain(plasticish, digits):
    done = plasticish("inspect", digits.folder)
    assert done.code == 0
    assert "a finished run" in done.out
    assert "0+1+2+3+4" in done.out
    found = json.loads(plasticish("inspect", digits.folder, "--json").out)
    assert found["finished"] is True
    assert found["phases"] == ["0+1+2+3+4", "5+6+7+8+9"]
    assert found["config"]["source"] == "digits"
    brain = json.loads(plasticish("inspect", digits.folder / "brain", "--json").out)
    assert brain["kind"] == "plastic_brain"
    assert brain["tensors"]["arrays"]["memory/key"]["shape"] == [1347, 64]
    assert "memory/key" in plasticish("inspect", digits.folder / "brain").out
