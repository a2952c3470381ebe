"""A liquid spiking network learns the digits, with and without a local rule beside its optimiser.

python examples/spiking_network.py                            # under a minute
python examples/spiking_network.py --stdp-type bcm --meta-plasticity
python examples/spiking_network.py --encoder latency --units 64
"""

from __future__ import annotations

import argparse

import torch
from torch import nn

from plasticish.core import make_generator
from plasticish.data import load_digits
from plasticish.data.source import Source
from plasticish.spiking.encoders import ENCODERS
from plasticish.spiking.integration import (
    enhanced_layers,
    integrate_meta_plasticity,
    integrate_stdp_into_model,
    plasticity_factors,
    update_plasticity,
)
from plasticish.spiking.network import LiquidSpikingNetwork
from plasticish.spiking.network_config import LiquidSpikingConfig


def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the share of right answers."""
    model.eval()
    with torch.no_grad():
        right = model(x).argmax(dim=1) == y
    model.train()
    return float(right.float().mean())


def train(model: nn.Module, digits: Source, *, epochs: int, local: bool, seed: int) -> None:
    """Train with an optimiser; if ``local``, make one local step after each of its steps."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    generator = make_generator(seed)
    x, y = digits.train.inputs, digits.train.labels
    for epoch in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(32):
            optimizer.zero_grad()
            logits = model(x[rows])
            loss = nn.functional.cross_entropy(logits, y[rows])
            loss.backward()
            optimizer.step()
            if local:
                right = (logits.argmax(dim=1) == y[rows]).float().mean()
                update_plasticity(model, performance=float(right), loss=float(loss.detach()))
        reached = accuracy(model, digits.test.inputs, digits.test.labels)
        print(f"  epoch {epoch + 1}: {100 * reached:.1f} % of the test digits")


def main() -> None:
    """Train twice from the same weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stdp-type", default="homeostatic", help="a rule by its name")
    parser.add_argument("--stdp-learning-rate", type=float, default=0.01)
    parser.add_argument("--meta-plasticity", action="store_true", help="steer the rule")
    parser.add_argument("--encoder", default="direct", choices=list(ENCODERS))
    parser.add_argument("--units", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    digits = load_digits(seed=options.seed)
    config = LiquidSpikingConfig.vision(
        64, 10, encoder=options.encoder, units=options.units, steps=8, seed=options.seed
    )

    print("with its optimiser alone")
    train(
        LiquidSpikingNetwork(config), digits, epochs=options.epochs, local=False, seed=options.seed
    )

    model = integrate_stdp_into_model(
        LiquidSpikingNetwork(config), options.stdp_type, options.stdp_learning_rate
    )
    if options.meta_plasticity:
        integrate_meta_plasticity(model)
    print(f"with {options.stdp_type} plasticity of {', '.join(enhanced_layers(model))}")
    train(model, digits, epochs=options.epochs, local=True, seed=options.seed)
    if options.meta_plasticity:
        for name, factors in plasticity_factors(model).items():
            print(f"  {name} now learns at {factors.learning_rate:.2f} of its rate")


if __name__ == "__main__":
    main()
