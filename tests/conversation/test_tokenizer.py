"""Every text comes back, whatever was learned or forgotten; ids mean what they meant."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.conversation import END, START, BiologicalTokenizer
from plasticish.core import CheckpointError, ConfigError, DataError, State

ANY_TEXT = st.text(
    st.characters(exclude_categories=())
)  # every code point, lone surrogates and NUL too
CHAT = st.lists(st.one_of(st.text("abé o", max_size=30), st.text(max_size=8)), max_size=25)
WORDS = ["mama", "papa", "hello", "how", "are", "you", "my", "little", "friend", "name", "sea"]
ODD = ["", "\0", "\ud800\udc00", "é", "e\u0301", "👩‍👩‍👧", "नमस्ते", "你好", "\r\n\t ", "12,345.67€"]


def chatter(turns, seed=0, words=WORDS):
    chance = random.Random(seed)
    return [" ".join(chance.choices(words, k=6)) for _ in range(turns)]


def grown(turns=400, **options):
    tokenizer = BiologicalTokenizer(**options)
    for turn in chatter(turns):
        tokenizer.hear(turn)
    return tokenizer


@given(ANY_TEXT)
@settings(max_examples=300, deadline=None)
def test_any_text_comes_back_from_a_newborn(text):
    tokenizer = BiologicalTokenizer()
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    # With nothing learned the ids are the bytes of the text.
    assert bytes(ids) == text.encode("utf-8", "surrogatepass")


@given(CHAT, ANY_TEXT, st.integers(257, 270))
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back_while_pieces_come_and_go(turns, text, size):
    tokenizer = BiologicalTokenizer(size, recurrence=2.0, half_life=50.0, longest=4)
    for turn in turns:
        before = tokenizer.encode(turn)
        tokenizer.hear(turn)
        assert tokenizer.decode(before) == turn  # growth takes no meaning from what was said
        forgotten = tokenizer.forget_rare(2)
        assert tokenizer.decode(before) == turn  # nor does forgetting, until it is cleared
        tokenizer.cleared(forgotten[:1])
        for heard in (turn, text):
            ids = tokenizer.encode(heard)
            assert tokenizer.decode(ids) == heard
            assert not set(ids) & {START, END, *tokenizer.quarantine}
            assert max(ids, default=0) < size


@pytest.mark.parametrize("text", [*ODD, "".join(ODD)])
def test_odd_texts_come_back_from_a_grown_one(text):
    tokenizer = grown(50)
    for _ in range(30):
        assert tokenizer.decode(tokenizer.encode(text)) == text
        tokenizer.hear(text)


def test_words_that_recur_become_few_tokens():
    tokenizer = grown()
    assert [tokenizer.piece(i) for i in tokenizer.encode("hello my little friend")] == [
        "hello",
        " my",
        " little",
        " friend",
    ]
    sizes = [
        len(BiologicalTokenizer().encode(t)) / len(tokenizer.encode(t)) for t in chatter(50, 9)
    ]
    assert min(sizes) > 3


def test_pieces_grow_one_pair_at_a_time_out_of_known_ones():
    tokenizer = BiologicalTokenizer()
    known = {chr(byte) for byte in range(128)}
    for turn in chatter(300):
        new = tokenizer.hear(turn)
        assert len(new) <= 1
        for token in new:
            piece = tokenizer.pieces[token]
            assert "".join(piece.parts) == piece.text
            assert set(piece.parts) <= known
            known.add(piece.text)


def test_syllables_come_before_clusters_of_consonants():
    # Both pairs are heard equally often; only one of them can be a syllable.
    tokenizer = BiologicalTokenizer(recurrence=5.0)
    ages = {}
    for turn in range(40):
        tokenizer.hear("str")
        for token in tokenizer.hear("ma"):
            ages[tokenizer.piece(token)] = turn
        for piece in tokenizer.pieces.values():
            ages.setdefault(piece.text, turn)
    assert ages["ma"] < min(age for text, age in ages.items() if text != "ma")


def test_no_piece_crosses_the_border_of_a_word():
    tokenizer = BiologicalTokenizer(recurrence=2.0)
    for _ in range(300):
        tokenizer.hear("it's 42, o.k.? no-no  yes_yes a b")
    assert tokenizer.pieces
    for piece in tokenizer.pieces.values():
        assert piece.text.removeprefix(" ").isalpha(), piece


def test_marks_stay_with_their_letters():
    tokenizer = BiologicalTokenizer(recurrence=2.0)
    for _ in range(30):
        tokenizer.hear("नमस्ते")
    assert len(tokenizer.encode("नमस्ते")) <= 3


def test_a_character_is_spelled_in_bytes_until_it_is_heard_twice():
    tokenizer = BiologicalTokenizer()
    assert tokenizer.encode("ж") == list("ж".encode())
    assert tokenizer.hear("ж") == ()
    (token,) = tokenizer.hear("ж")
    assert tokenizer.encode("ж") == [token]
    assert tokenizer.pieces[token].parts == ()
    assert tokenizer.hear("\ud800\ud800\ud800") == ()


def test_what_is_not_heard_any_more_fades():
    tokenizer = BiologicalTokenizer(recurrence=4.0, half_life=100.0)
    for _ in range(3):
        tokenizer.hear("mo")
    tokenizer.hear("?" * 1000)  # ten half-lives
    for _ in range(3):
        assert tokenizer.hear("mo") == ()
    assert len([1 for _ in range(3) if tokenizer.hear("mo")]) == 1


def test_encoding_and_decoding_change_nothing():
    tokenizer = grown(100)
    before = json.dumps(tokenizer.export_state().values)
    for text in (*chatter(20, 3), *ODD):
        tokenizer.decode(tokenizer.encode(text))
        list(tokenizer.stream(tokenizer.encode(text)))
    assert json.dumps(tokenizer.export_state().values) == before


def test_ids_are_reused_only_after_they_were_cleared():
    tokenizer = BiologicalTokenizer(258, recurrence=2.0, half_life=50.0)
    first = tokenizer.hear("baba") + tokenizer.hear("xx mama") + tokenizer.hear("mama")
    assert first == (256, 257)
    assert tokenizer.free == 0
    said = tokenizer.encode("baba mama")
    assert tokenizer.forget_rare() == ()  # both are young
    tokenizer.hear("." * 200)
    forgotten = tokenizer.forget_rare()
    assert sorted(forgotten) == [256, 257]
    assert len(tokenizer) == 256
    # Forgotten: nothing is said with them any more; what was said with them is still understood.
    assert tokenizer.encode("baba mama") == list(b"baba mama")
    assert tokenizer.decode(said) == "baba mama"
    for _ in range(5):
        assert tokenizer.hear("lolo lolo") == ()
    tokenizer.cleared([256])
    with pytest.raises(DataError, match="belongs to no piece: got 256"):
        tokenizer.decode(said)
    assert tokenizer.hear("lolo lolo") == (256,)
    assert tokenizer.quarantine == (257,)
    for wrong in ([256], [257, 3], [257, 999]):
        with pytest.raises(DataError, match="not in quarantine"):
            tokenizer.cleared(wrong)
    tokenizer.cleared([257, 257])
    assert tokenizer.quarantine == ()
    assert tokenizer.free == 1


def test_the_rarest_are_forgotten_first():
    tokenizer = grown(300, half_life=500.0)
    for turn in chatter(300, words=["hello", "mama"]):
        tokenizer.hear(turn)
    uses = {token: tokenizer.use(token) for token in tokenizer.pieces}
    forgotten = tokenizer.forget_rare(5)
    assert list(forgotten) == sorted(uses, key=uses.__getitem__)[:5]
    assert "hello" in {piece.text for piece in tokenizer.pieces.values()}
    assert tokenizer.forget_rare(0) == ()


def test_a_stream_says_what_decoding_does():
    tokenizer = grown(100)
    text = "hello 你好 👩‍👩‍👧, café mama"
    parts = list(tokenizer.stream([START, *tokenizer.encode(text), END]))
    assert "".join(parts) == text
    assert "" not in parts
    broken = [*"é".encode()[:1], ord("a"), 0x80]
    assert "".join(tokenizer.stream(broken)) == tokenizer.decode(broken) == "\ufffda\ufffd"


def test_ids_show_what_they_say():
    tokenizer = BiologicalTokenizer()
    assert [tokenizer.piece(i) for i in (97, 0xC3, START, END)] == ["a", "<C3>", "<start>", "<end>"]
    assert tokenizer.decode([START, 97, END]) == "a"
    for unknown in (256, 799, 5000, -1):
        with pytest.raises(DataError, match="belongs to no piece"):
            tokenizer.decode([unknown])


def test_candidates_are_bounded():
    tokenizer = BiologicalTokenizer(256)
    chance = random.Random(1)
    for _ in range(60):
        tokenizer.hear("".join(chance.choices("abcdefghijklmnopqrstuvwxyzäöüß", k=400)))
    for _ in range(3):
        tokenizer.hear("".join(map(chr, range(0x4E00, 0x9000))))
    assert len(tokenizer.export_state().values["candidates"]["keys"]) <= 32 * 256


def test_a_long_line_is_cut_in_time_that_grows_with_its_length():
    tokenizer = grown()
    line = " ".join(chatter(1200, 5))
    assert len(line) > 30_000
    assert tokenizer.decode(tokenizer.encode(line)) == line
    assert len(tokenizer.hear(line)) <= 1
    looked_up = []

    class Counted(dict):
        def __contains__(self, key):
            looked_up.append(1)
            return super().__contains__(key)

    tokenizer._vocabulary.ids = Counted(tokenizer._vocabulary.ids)
    tokenizer.encode(line)
    assert len(looked_up) < tokenizer.longest * len(line)


@pytest.mark.parametrize("turns", [0, 30, 400])
def test_a_file_goes_on_bit_for_bit(tmp_path, turns):
    one = grown(turns, max_vocab_size=300, half_life=300.0)
    one.cleared(one.forget_rare(6)[:3])
    for character in "жъ":
        one.hear(character * 2)
    path = one.save(tmp_path / "memory" / "vocab.json")
    two = BiologicalTokenizer.load(path)
    assert two.config() == one.config()
    assert two.pieces == one.pieces
    assert two.quarantine == one.quarantine
    for turn in chatter(150, 7):
        assert two.hear(turn) == one.hear(turn)
        assert two.encode(turn) == one.encode(turn)
    assert two.export_state() == one.export_state()
    two.save(path)  # over its own file
    assert [file.name for file in path.parent.iterdir()] == ["vocab.json"]


def test_a_very_long_life_keeps_its_counts():
    tokenizer = BiologicalTokenizer(half_life=0.5)
    for _ in range(300):
        tokenizer.hear("ma ma 1234567890 1234567890")
    state = tokenizer.export_state()
    BiologicalTokenizer(half_life=0.5).import_state(state)
    assert state.values["uses"]["unit"] < 1e101


def altered(values, path, new):
    values = json.loads(json.dumps(values))
    *way, last = path
    at = values
    for key in way:
        at = at[key]
    at[last] = new
    return values


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("pieces", 0, 0), 5),
        (("pieces", 0, 0), True),
        (("pieces", 0, 1), "other"),
        (("pieces", 0, 2), ["a"]),
        (("pieces", 0), "row"),
        (("pieces",), 3),
        (("pieces", 0, 1), "x y"),
        (("quarantine",), [[900, "ab", ["a", "b"]]]),
        (("released",), [7]),
        (("released",), ["x"]),
        (("fresh",), 10_000),
        (("fresh",), "256"),
        (("uses", "keys"), []),
        (("uses", "counts", 0), float("nan")),
        (("uses", "counts", 0), "1"),
        (("uses", "unit"), 0.0),
        (("uses",), None),
        (("candidates", "keys", 0), "a.b"),
        (("candidates", "keys", 0), 5),
        (("candidates", "keys", 0), []),
        (("candidates", "counts"), None),
    ],
)
def test_an_altered_state_is_refused_with_nothing_changed(path, new):
    donor = grown(60)
    broken = altered(donor.export_state().values, path, new)
    tokenizer = grown(30)
    before = tokenizer.export_state()
    with pytest.raises(DataError, match="stored"):
        tokenizer.import_state(State(broken))
    assert tokenizer.export_state() == before


def test_a_foreign_or_truncated_file_is_refused(tmp_path):
    path = grown(60).save(tmp_path / "vocab.json")
    whole = path.read_bytes()
    for content, match in (
        (whole[: len(whole) // 2], "truncated or damaged"),
        (b"", "truncated or damaged"),
        (b"\xff\xfe", "truncated or damaged"),
        (b"[" * 100_000, "truncated or damaged"),
        (b"[]", "no vocabulary"),
        (b'{"format": "other"}', "no vocabulary"),
        (whole.replace(b'"format_version": 1', b'"format_version": 2'), "another version"),
        (whole.replace(b'"config"', b'"confog"'), "truncated or damaged"),
        (whole.replace(b'"longest"', b'"shortest"'), "truncated or damaged"),
        (whole.replace(b'"fresh"', b'"stale"'), "truncated or damaged: got the stored vocabulary"),
        (whole.replace(b'"max_vocab_size": 800', b'"max_vocab_size": 256'), "do not add up"),
    ):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=match):
            BiologicalTokenizer.load(path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        BiologicalTokenizer.load(tmp_path / "nowhere.json")


def test_nothing_foreign_is_overwritten(tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"mine": 1}')
    for taken in (other, tmp_path):
        with pytest.raises(CheckpointError):
            BiologicalTokenizer().save(taken)
    assert other.read_text() == '{"mine": 1}'
    with pytest.raises(CheckpointError, match="could not be made"):
        BiologicalTokenizer().save(other / "vocab.json")
    torn = tmp_path / "torn.json"
    torn.write_text('{"format": "plas')
    BiologicalTokenizer.load(BiologicalTokenizer().save(torn))


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_vocab_size": 255},
        {"longest": 0},
        {"recurrence": 0.0},
        {"half_life": float("nan")},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match="out of range"):
        BiologicalTokenizer(**wrong)
    with pytest.raises(ConfigError, match="at_most"):
        BiologicalTokenizer().forget_rare(-1)
