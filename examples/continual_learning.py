"""One layer, one network, one stream of tasks: plasticity in three small examples.

python examples/continual_learning.py               # all three, half a minute
python examples/continual_learning.py --example 3   # five tasks, and what is forgotten
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # found from any folder

import torch
from torch import nn

from plasticish.core import make_generator
from plasticish.data import BatchLoader, class_splits, few_shot, load_digits
from plasticish.metrics import score
from plasticish.spiking.layer import STDPLayer
from plasticish.spiking.meta_network import MetaPlasticNetwork
from plasticish.spiking.stdp_rules import HomeostaticSTDP
from plasticish.training import ContinualLearningTrainer
from plasticish.visualization import plot_accuracy_matrix, save_figure


def stdp_layer(seed: int) -> None:
    """Example 1: a layer whose weight follows the timing of spikes."""
    stdp_rule = HomeostaticSTDP(learning_rate=0.01, target_rate=0.1)
    layer = STDPLayer(in_features=256, out_features=128, stdp_rule=stdp_rule)

    # Update weights based on spike timing: the most driven tenth of the neurons fires
    draws = torch.rand(32, 100, 256, generator=make_generator(seed))  # [batch, time, features]
    pre_spikes = (draws < 0.05).float()
    drive = layer(pre_spikes)
    post_spikes = (drive > drive.quantile(0.9, dim=-1, keepdim=True)).float()
    report = layer.update_weights_stdp(pre_spikes, post_spikes, dt=1.0)
    print(
        f"1  STDP changed {100 * report['changed']:.0f} % of the weights, "
        f"by {report['mean_change']:.1e} on average"
    )


def meta_plastic_network(seed: int) -> None:
    """Example 2: a network without backpropagation that learns how plastic its layers are to be."""
    digits = load_digits(seed=seed)
    few = few_shot(digits.train, 30, make_generator(seed))
    network = MetaPlasticNetwork(
        layer_sizes=[64, 256, 10], meta_lr=0.001, history_length=100, seed=seed
    )
    for batch in BatchLoader(few, 32, seed=seed):
        # Collects the spike trains of all layers and calls update_meta_plasticity(
        #     layer_activities=[(pre, post), ...], performance=accuracy, loss=loss)
        report = network.learn(batch)
    right = score(network.predict, BatchLoader(digits.test, 256))["accuracy"]
    factors = " and ".join(f"{factor:.2f}" for factor in report["learning_rate"])
    print(f"2  the local network knows {100 * right:.0f} % of the digits after 30 of each;")
    print(f"   its layers now learn at {factors} times their rates")


def continual_learning(seed: int, epochs: int, out: Path) -> None:
    """Example 3: five pairs of digits, one after another, with and without help."""
    tasks = class_splits(load_digits(seed=seed))
    for name, options in {
        "without": {"consolidation_strength": 0.0, "use_experience_replay": False},
        "with": {"consolidation_strength": 1000.0, "replay_buffer_size": 200},
    }.items():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        optimizer, criterion = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
        trainer = ContinualLearningTrainer(
            model, use_meta_plasticity=name == "with", seed=seed, **options
        )

        # Train sequentially
        for task_id, task in enumerate(tasks):
            trainer.train_on_task(
                task_id=task_id,
                train_loader=BatchLoader(task.train, 32, seed=seed),
                val_loader=BatchLoader(task.test, 256),
                num_epochs=epochs,
                optimizer=optimizer,
                criterion=criterion,
            )

        # Measure forgetting
        all_val_loaders = {i: BatchLoader(task.test, 256) for i, task in enumerate(tasks)}
        _, average, forgetting = trainer.evaluate_all_tasks(all_val_loaders, criterion)
        print(f"3  {name:8} average accuracy {average:.3f}, forgetting {forgetting:.3f}")
        figure = plot_accuracy_matrix(trainer.matrix.R, [task.name for task in tasks])
        save_figure(figure, out / f"{name}.png")
    print(f"   the accuracy matrices are in {out}")


def main() -> None:
    """Run the examples that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--example", type=int, choices=(1, 2, 3), help="only this one")
    parser.add_argument("--epochs", type=int, default=5, help="passes over each task (5)")
    parser.add_argument("--seed", type=int, default=0, help="of every random draw (0)")
    parser.add_argument("--out", type=Path, default=Path("runs/continual"), help="for the figures")
    options = parser.parse_args()
    wanted = (1, 2, 3) if options.example is None else (options.example,)
    if 1 in wanted:
        stdp_layer(options.seed)
    if 2 in wanted:
        meta_plastic_network(options.seed)
    if 3 in wanted:
        continual_learning(options.seed, options.epochs, options.out)


if __name__ == "__main__":
    main()
