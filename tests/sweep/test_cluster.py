"""Sweeps on a Ray cluster of several nodes on this machine, one of which is killed."""

import json
import threading
import time

import pytest

from nst import overrides, sweep
from nst.errors import InputError
from nst.sweep import cluster
from nst.sweep.trials import Folder

ray = pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own, of many kinds


@pytest.fixture(scope="module")
def nodes():
    """A head without CPUs, so that trials go to the others."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    yield made
    made.shutdown()


@pytest.fixture
def two_nodes(nodes):
    workers = [nodes.add_node(num_cpus=1) for _ in range(2)]
    yield workers
    for node in workers:
        if node in nodes.worker_nodes:
            nodes.remove_node(node)


def logged(folder):
    return [
        json.loads(x)["trial"] for f in (folder / "log").glob("*.jsonl") for x in f.read_text().splitlines()
    ]


@pytest.mark.parametrize("shared", [True, False])
def test_a_node_dies_and_nothing_is_lost_or_run_twice(config, nodes, two_nodes, tmp_path, shared):
    config.optimizer.steps = 300
    workdir = tmp_path / "sweep"
    chosen = sweep.begin(
        config, overrides.grid({"loss.style_weight": tuple(map(float, range(1, 7)))}), workdir
    )
    folder = Folder(workdir)

    def kill():
        deadline = time.monotonic() + 120
        while not logged(workdir) and time.monotonic() < deadline:
            time.sleep(0.1)
        nodes.remove_node(two_nodes[0], allow_graceful=False)
        nodes.add_node(num_cpus=1)

    (workdir / "log").mkdir()
    killer = threading.Thread(target=kill)
    killer.start()
    sweep.run(workdir, chosen, on=cluster.Cluster(address=nodes.address, shared=shared))
    killer.join()
    assert set(folder.states(chosen).values()) == {"done"}
    assert sorted(logged(workdir)) == sorted(trial.name for trial in chosen.trials)
    assert not list((workdir / "leases").glob("*"))


def test_a_failing_trial_does_not_affect_the_others(config, nodes, two_nodes, tmp_path):
    trials = [("good", {}), ("diverges", {"optimizer.name": "adam", "optimizer.learning_rate": 1e30})]
    chosen = sweep.begin(config, trials, tmp_path / "sweep")
    with pytest.raises(Exception, match="1 of 2 trials failed"):
        sweep.run(tmp_path / "sweep", chosen, on=cluster.Cluster(address=nodes.address))
    assert list(Folder(tmp_path / "sweep").states(chosen).values()) == ["done", "failed"]


def test_a_missing_cluster_is_an_error_of_one_line(config, tmp_path):
    chosen = sweep.begin(config, [{}], tmp_path / "sweep")
    with pytest.raises(InputError, match="there is no Ray cluster") as caught:
        sweep.run(tmp_path / "sweep", chosen, on=cluster.Cluster(address="127.0.0.1:1"))
    assert "\n" not in str(caught.value)
