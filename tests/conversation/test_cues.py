"""Cues: few cells, the surprising ones the most, by closed forms."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plasticish.conversation.cues import CueEncoder
from plasticish.core import ConfigError, DataError

CELLS = 1 << 20  # so many that two parts hardly share one


def parts(text, runs=(2, 3, 4)):
    framed = f" {' '.join(text.split())} "
    found = Counter(
        framed[first : first + run] for run in runs for first in range(len(framed) - run + 1)
    )
    found.update(("word", word) for word in text.casefold().split())
    found["whole", framed] += 1
    return found


def test_every_part_drives_a_cell_and_its_weight_is_the_rarity():
    encoder = CueEncoder(CELLS)
    heard = ["the cat", "the dog", "a dog a dog"]
    for text in heard:
        encoder.observe(text)
    frequency = Counter(part for text in heard for part in parts(text))
    for text in (*heard, "the yak"):
        expected = sorted(
            (1 + np.log(times)) * np.log(1 + (3 + 1) / max(frequency[part], 1))
            for part, times in parts(text).items()
        )
        cue = encoder.encode(text)
        if text != "a dog a dog":
            np.testing.assert_allclose(np.sort(cue.drive), expected, rtol=1e-5)
        assert len(cue.cells) == len(expected)


def test_frequency_counts_texts_and_not_occurrences():
    encoder = CueEncoder(CELLS)
    encoder.observe("ha ha ha")
    encoder.observe("ho")
    once, often = encoder.encode("ha"), encoder.encode("ha ha ha")
    shared = np.intersect1d(once.cells, often.cells, return_indices=True)
    ratio = often.drive[shared[2]] / once.drive[shared[1]]
    assert ratio.max() == pytest.approx(1 + np.log(3), rel=1e-5)
    assert ratio.min() >= 1.0 - 1e-6


def test_without_novelty_all_parts_weigh_the_same():
    encoder = CueEncoder(CELLS, novelty=False)
    encoder.observe("the cat")
    assert set(encoder.encode("the cat the cat").drive.tolist()) == {1.0}


@given(st.text(min_size=1, max_size=40).filter(str.strip))
def test_any_text_is_a_cue(text):
    cue = CueEncoder(1024).encode(text)
    assert 0 < len(cue.cells) == len(np.unique(cue.cells)) <= 1024
    assert 0 <= cue.cells.min() <= cue.cells.max() < 1024
    assert np.isfinite(cue.drive).all()
    assert cue.drive.min() > 0
    assert cue.norm == pytest.approx(float(np.linalg.norm(cue.drive)), rel=1e-5)


def test_white_space_does_not_matter_and_case_does():
    encoder = CueEncoder()
    same = [encoder.encode(text).cells.tolist() for text in ("a  b", " a b\n", "a\tb")]
    assert same[0] == same[1] == same[2]
    assert encoder.encode("A b").cells.tolist() != same[0]


def test_a_sentence_is_about_one_per_cent_of_the_cells():
    cells = CueEncoder().encode("im refining my skills on Sketch App have you heard of it?").cells
    assert 0.005 < len(cells) / 14173 < 0.02


def test_encoding_changes_nothing_and_seeds_choose_other_cells():
    encoder = CueEncoder(seed=3)
    encoder.observe("hello")
    before = encoder.export_state().tensors["counts"].clone()
    encoder.encode("hello you")
    assert (encoder.export_state().tensors["counts"] == before).all()
    assert (
        CueEncoder(seed=4).encode("hello").cells.tolist() != encoder.encode("hello").cells.tolist()
    )


def test_novelty_falls_as_a_text_is_heard():
    encoder = CueEncoder()
    assert encoder.novelty("good morning") == encoder.observe("good morning") == 1.0
    again, other = encoder.novelty("good morning"), encoder.novelty("xylophone")
    assert again == pytest.approx(0.5)
    assert other == 1.0


def test_alikeness_is_dice_over_the_bags_of_parts():
    texts = ["the cat sat", "the cat sat.", "sat the cat cat", "zzz"]
    alike = CueEncoder(CELLS).alikeness(texts)
    for i, one in enumerate(texts[:1] + texts[2:]):
        for j, other in enumerate(texts[:1] + texts[2:]):
            a, b = parts(one), parts(other)
            dice = 2 * sum((a & b).values()) / (sum(a.values()) + sum(b.values()))
            place = [0, 2, 3]
            assert alike[place[i], place[j]] == pytest.approx(dice)
    np.testing.assert_array_equal(alike, alike.T)


def test_a_saved_encoder_goes_on_bit_for_bit(tmp_path):
    encoder = CueEncoder(2048, runs=(3,), seed=5)
    encoder.observe("one two")
    again = CueEncoder.load(encoder.save(tmp_path / "encoder"))
    for one in (encoder, again):
        one.observe("two three")
    np.testing.assert_array_equal(encoder.encode("three").drive, again.encode("three").drive)
    np.testing.assert_array_equal(encoder.encode("three").cells, again.encode("three").cells)


@pytest.mark.parametrize("blank", ["", "  ", "\n\t"])
def test_a_blank_text_is_refused_and_changes_nothing(blank):
    encoder = CueEncoder()
    for call in (encoder.encode, encoder.observe, encoder.novelty):
        with pytest.raises(DataError, match="nothing in this text"):
            call(blank)
    assert encoder.norepinephrine.patterns == 0


def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match="n_cells is out of range"):
        CueEncoder(0)
    with pytest.raises(ConfigError, match="a length of runs is out of range"):
        CueEncoder(runs=(2, 0))
