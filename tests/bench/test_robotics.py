"""The scenario of changing physics: its parts against what they should be, on a tiny stream."""

import pytest
import torch

from plasticish.bench.continual import robotics
from plasticish.bench.scenario import SCENARIOS
from plasticish.data import FAMILIES, robotics_tasks
from plasticish.evaluation import ReturnScale, return_scale

TINY = robotics.Plan(episodes=2, epochs=1, trials=2)


def stream(seed=0):
    bodies = dict(list(FAMILIES["cartpole"].items())[:2])
    tasks = robotics_tasks(bodies, episodes=TINY.episodes, test_episodes=1, seed=seed)
    return tasks, [return_scale(task.body, episodes=2, seed=seed) for task in tasks]


def test_orders_differ_between_seeds_and_lose_nothing():
    bodies = FAMILIES["pendulum"]
    orders = [robotics.in_random_order(bodies, seed) for seed in range(6)]
    assert all(dict(order) == dict(bodies) for order in orders)
    assert len({tuple(order) for order in orders}) > 3
    assert list(orders[2]) == list(robotics.in_random_order(bodies, 2))


def test_joint_training_sees_every_demonstration_once():
    tasks, _ = stream()
    whole = robotics.together(tasks).train
    assert torch.equal(whole.inputs, torch.cat([task.train.inputs for task in tasks]))
    assert torch.equal(whole.labels, torch.cat([task.train.labels for task in tasks]))


def test_the_last_physics_is_no_earlier_one():
    scales = [ReturnScale(0, 10), ReturnScale(0, 100), ReturnScale(0, 1)]
    found = robotics.steered([5.0, 100.0, 0.0], scales)
    assert found.percent == (50, 100, 0)
    assert (found.earlier, found.raw) == (75, 52.5)


@pytest.mark.needs_gymnasium
@pytest.mark.parametrize("name", [robotics.NAIVE, robotics.OURS])
def test_a_stream_is_the_same_for_the_same_seed(name):
    pytest.importorskip("gymnasium", reason="the extra robotics is not installed")
    tasks, scales = stream()
    one, two = (
        robotics.train_and_steer(tasks, scales, robotics.LEARNERS[name], TINY, 0) for _ in range(2)
    )
    assert one == two
    assert len(one.returns) == len(tasks)
    assert all(1 <= value <= 500 for value in one.returns)


def test_all_rows_that_have_goals_are_run():
    scenario = SCENARIOS["continual/robotics"]
    assert len(scenario.seeds) >= 5
    assert {goal.row for goal in scenario.goals} == {
        f"{family}: {robotics.OURS}" for family in ("pendulum", "cartpole")
    }
    assert robotics.OURS in robotics.LEARNERS
    assert all("buffer" not in options for options in robotics.LEARNERS.values())
