"""A PlasticBrain learns vehicles, then animals, then weathers a storm of inverted colours.

python examples/train_multilayer.py                            # ResNet18 eyes (timm, fetched)
python examples/train_multilayer.py --eyes efficientnet_lite0  # weights come with the package
python examples/train_multilayer.py --eyes efficientnet_lite0 --quick   # half a minute
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # found from any folder

from examples.arguments import parse_arguments
from examples.cifar10_utils import CLASSES, create_cifar10_loaders
from plasticish import (
    FeatureCache,
    PhaseConfig,
    PlasticBrain,
    PlasticTrainer,
    PlasticVisualizer,
    PretrainedEyes,
)
from plasticish.visualization import save_figure


def main() -> None:
    """Train, and leave the figures in the output folder."""
    options = parse_arguments(__doc__, "runs/multilayer")
    device = options.device
    loaders = create_cifar10_loaders(batch_size=256, per_class=options.per_class)
    eyes = PretrainedEyes(
        options.eyes, image_size=options.image_size, device=device, cache=FeatureCache()
    )

    # Create multi-layer plastic brain
    brain = PlasticBrain(
        in_dim=eyes.width,
        hidden_dim=4096,
        sparsity_k=128,
        num_layers=4,
        memory_size=60000,
        device=device,
        eyes=eyes,
    )

    # Define training phases
    phases = [
        PhaseConfig(
            "Vehicles",
            options.epochs,
            loaders["train_vehicles"],
            mode="plastic",
            consolidate_after=True,
        ),
        PhaseConfig(
            "Animals",
            options.epochs,
            loaders["train_animals"],
            mode="plastic",
            consolidate_after=True,
        ),
        PhaseConfig("Storm", options.epochs, loaders["storm_vehicles"], mode="panic"),
    ]

    # Train
    exams = {
        "vehicles": loaders["test_vehicles"],
        "animals": loaders["test_animals"],
        "storm": loaders["test_storm_vehicles"],
        "test": loaders["test_mixed"],
    }
    trainer = PlasticTrainer(brain, phases, eval_loaders=exams, device=device)
    trainer.train()
    trainer.plot_results(options.out / "results.png")

    # Visualize multi-layer activity
    visualizer = PlasticVisualizer(brain, device=device, class_names=CLASSES)
    save_figure(visualizer.trace_thought(loaders["storm_vehicles"]), options.out / "thought.png")

    for phase in trainer.get_summary()["phases"]:
        learned, now = 100 * phase["as_learned"], 100 * phase["now"]
        print(f"{phase['name']:10} {learned:5.1f} % as learned, {now:5.1f} % now")
    print(f"figures are in {options.out}")


if __name__ == "__main__":
    main()
