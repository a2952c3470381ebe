"""The engine of a cluster, on a cluster of this machine: it finds what one process finds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from plasticish import PhaseConfig, PlasticBrain, PlasticTrainer
from plasticish.bench import run_scenarios
from plasticish.core import Engine, make_engine
from plasticish.evaluation import sweep
from plasticish.training import ShardedTrainer

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "evaluation"))

from engine_jobs import die_first, die_once, fail_on_two, product
from sweep_jobs import digits

pytestmark = [
    pytest.mark.slow,
    # Ray's own, of its sockets and of what it still imports.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Engine]:
    if find_spec("ray") is None:  # to import it here would be too early, see RayEngine
        pytest.skip("needs the extra ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ":".join(sys.path))  # workers find the functions of this test
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        with make_engine("ray", 2) as engine:
            yield engine


def test_it_gives_what_the_sequential_engine_gives(cluster):
    here = list(make_engine().map(product, [0, 1, 2]))
    there = list(cluster.map(product, [0, 1, 2]))
    assert all(bool((one == other).all()) for one, other in zip(here, there, strict=True))


def test_a_killed_worker_is_replaced_and_errors_arrive(cluster, tmp_path):
    assert list(cluster.map(die_once, [str(tmp_path / "a"), str(tmp_path / "b")])) == ["a", "b"]
    with pytest.raises(KeyError, match="two"):
        list(cluster.map(fail_on_two, [1, 2]))


def test_a_sweep_fills_the_table_that_one_process_fills(cluster):
    settings = {"order": [0, 1], "sparsity_k": [4]}
    assert sweep(digits, settings, seeds=[0], engine=cluster) == sweep(digits, settings, seeds=[0])


def test_a_scenario_gives_the_figures_of_one_process(cluster):
    (here,) = run_scenarios(["spike/golden"], quick=True)
    (there,) = run_scenarios(["spike/golden"], quick=True, engine=cluster)
    assert there.result is not None
    assert there.result.rows == here.result.rows


class Deadly(Engine):
    """A cluster in which one worker dies after it has learned a shard."""

    name = "deadly"

    def __init__(self, cluster: Engine, marker: Path) -> None:
        super().__init__(cluster.workers)
        self.cluster, self.marker = cluster, marker

    def unordered(self, function, items, *, stop=None):
        work = [(str(self.marker), function, item) for item in items]
        return self.cluster.unordered(die_first, work, stop=stop)


def test_learning_in_shards_counts_nothing_twice_when_a_worker_is_killed(cluster, tmp_path):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (24, 8), generator=generator)
    x = torch.randn(24, 8, 10, generator=generator) + y[..., None]
    course = [PhaseConfig("one", 1, list(zip(x, y, strict=True)))]
    alone, merged = (
        PlasticBrain(10, hidden_dim=16, sparsity_k=8, expansion=16, memory_size=60)
        for _ in range(2)
    )
    PlasticTrainer(alone, course).train()
    engine = Deadly(cluster, tmp_path / "killed")
    ShardedTrainer(merged, course, shards=4, engine=engine).train()
    assert (tmp_path / "killed").exists()
    assert merged.seen == alone.seen == 24 * 8
    one, other = (learner.cortex.moments() for learner in (alone, merged))
    assert torch.equal(one.counts, other.counts)
    torch.testing.assert_close(one.within, other.within, rtol=1e-5, atol=1e-7)
    assert torch.equal(alone.predict(x[0]), merged.predict(x[0]))


def test_a_cluster_of_this_machine_is_closed_to_others(cluster):
    list(cluster.map(abs, [1]))
    nodes = import_module("ray").nodes()
    assert {node["NodeManagerAddress"] for node in nodes} == {"127.0.0.1"}
