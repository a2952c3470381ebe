"""A TriarchicBrain learns animals, then vehicles, then weathers a storm of inverted colours.

python examples/train_cifar10.py                            # ResNet18 eyes (timm, fetched)
python examples/train_cifar10.py --eyes efficientnet_lite0  # weights come with the package
python examples/train_cifar10.py --eyes efficientnet_lite0 --quick      # half a minute
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
    PretrainedEyes,
    TriarchicBrain,
    TriarchicTrainer,
    TriarchicVisualizer,
)
from plasticish.training import invert_colors
from plasticish.visualization import save_figure


def main() -> None:
    """Train, and leave the figures in the output folder."""
    options = parse_arguments(__doc__, "runs/triarchic")
    device = options.device
    eyes = PretrainedEyes(
        options.eyes, image_size=options.image_size, device=device, cache=FeatureCache()
    )
    brain = TriarchicBrain(eyes.width, 8192, 10, 32, device=device)
    loaders = create_cifar10_loaders(batch_size=64, per_class=options.per_class)
    phases = [
        PhaseConfig("Animals", options.epochs, loaders["train_animals"]),
        PhaseConfig("Vehicles", options.epochs, loaders["train_vehicles"]),
        PhaseConfig("Storm", options.epochs, loaders["train_animals"], transform_fn=invert_colors),
    ]
    memory_test_loader = {
        "animals": loaders["test_animals"],
        "vehicles": loaders["test_vehicles"],
        "storm": loaders["test_storm_animals"],
    }
    trainer = TriarchicTrainer(brain, eyes, phases, memory_test_loader, device=device)
    trainer.train()
    trainer.plot_results(options.out / "results.png")

    visualizer = TriarchicVisualizer(brain, eyes, class_names=CLASSES)
    save_figure(visualizer.weights(), options.out / "weights.png")

    for phase in trainer.get_summary()["phases"]:
        learned, now = 100 * phase["as_learned"], 100 * phase["now"]
        print(f"{phase['name']:10} {learned:5.1f} % as learned, {now:5.1f} % now")
    print(f"figures are in {options.out}")


if __name__ == "__main__":
    main()
