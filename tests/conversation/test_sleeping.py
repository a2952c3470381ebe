"""Sleep of the whole learner: what it replays, when it is due, and what it never costs."""

import pytest

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig
from plasticish.conversation.events import Overheard, Taught
from plasticish.conversation.mind import LEAST_AGED, TAGGED
from plasticish.data import load_dialogue, pairs

TOLD = [pair for topic in load_dialogue().values() for pair in pairs(topic)]
TALK = list(dict(pair for pair in TOLD if len(pair[1]) <= 40).items())


def fresh(cells=768, **settings):
    return ConversationalLearner(PlasticLearnerConfig(n_neurons=cells, **settings))


def tell(learner, told):
    for prompt, reply in told:
        learner.live(Taught(prompt, None, reply, None, "school", True))


def known(learner, told):
    return {pair for pair in told if learner.predict(pair[0]) == pair[1]}


@pytest.mark.parametrize("seed", range(2))
def test_sleep_never_lowers_recall_of_what_was_tagged(seed):
    learner = fresh(448, seed=seed)
    network = learner.mind.network
    for day in range(3):
        tell(learner, TALK[100 * seed + 30 * day :][:30])
        tagged = list(learner.mind.tagged)
        cues = {one: network.regenerate(one) for one in tagged}
        found = {one for one, cue in cues.items() if network.recall(cue).episodes[0] == one}
        lines = {one: list(network.reply(one)) for one in tagged}
        synapses = network.synapses
        learner.sleep()
        assert found <= {one for one, cue in cues.items() if network.recall(cue).episodes[0] == one}
        for one, line in lines.items():
            assert [said.token for said in network.reply(one)] == [said.token for said in line]
    assert network.synapses < synapses


def test_a_full_network_that_sleeps_keeps_what_one_that_does_not_lets_go():
    sleeper, other = fresh(448), fresh(448)
    for first in range(0, 120, 20):
        for learner in (sleeper, other):
            tell(learner, TALK[first : first + 20])
        sleeper.sleep()
    assert len(sleeper.mind.network.episodes) >= len(other.mind.network.episodes) + 20
    assert len(known(sleeper, TALK[:60])) >= len(known(other, TALK[:60])) + 10


def test_no_text_is_kept_for_replay():
    learner = fresh(2048)
    tell(learner, TALK[:20])
    state = learner.mind.export_state()
    assert list(learner.mind.tagged) == state.part("own").values["tagged"]
    assert all(isinstance(episode, int) for episode in learner.mind.tagged)


def test_marks_are_bounded():
    learner = fresh()
    for episode in range(TAGGED + 10):
        learner.mind.tag(episode)
    learner.mind.tag(20)
    assert len(learner.mind.tagged) == TAGGED
    assert next(iter(learner.mind.tagged)) == 10
    assert list(learner.mind.tagged)[-1] == 20


def test_captured_traces_are_replayed_in_the_same_night():
    learner = fresh(2048)
    learner.live(Overheard(*TALK[0]))
    learner.live(Taught(*TALK[1][:1], "no", TALK[1][1], None, "you", False))
    report = learner.sleep()
    assert (report["captured"], report["replayed"]) == (1, 2)


def test_old_episodes_are_visited_the_more_the_more_they_change():
    learner = fresh(2048)
    tell(learner, TALK[:100])
    learner.mind.tagged.clear()  # as if those were from long ago
    seen = []
    for night in range(10):
        tell(learner, TALK[100 + night : 101 + night])
        learner.sleep()
        seen.append(learner.mind.aged)
    assert max(seen) >= 4 * LEAST_AGED
    assert seen[-1] == LEAST_AGED


def test_a_full_network_is_tired_sooner():
    empty, full = fresh(448), fresh(448)
    tell(full, TALK[:70])
    assert full.mind.network.synapses > 0.7 * full.mind.network.budget
    for learner in (empty, full):
        learner.mind.adenosine.sleep(100.0)
        learner.mind.adenosine.work(14_000.0)
    assert full.mind.sleep_is_due
    assert not empty.mind.sleep_is_due
    empty.mind.adenosine.work(20_000.0)
    assert empty.mind.sleep_is_due


def test_who_never_tires_never_has_to_sleep():
    learner = fresh(448, use_adenosine=False)
    tell(learner, TALK[:70])
    assert not learner.mind.sleep_is_due
