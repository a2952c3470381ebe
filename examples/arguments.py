"""The options that the example scripts share."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["parse_arguments"]


def parse_arguments(description: str | None, out: str) -> argparse.Namespace:
    """Return ``eyes``, ``image_size``, ``device``, ``epochs``, ``per_class`` and ``out``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--eyes", default="resnet18", help="resnet18, efficientnet_lite0, …")
    parser.add_argument("--image-size", type=int, help="pixels that the eyes look at")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--epochs", type=int, help="passes over each phase (3; 1 if --quick)")
    parser.add_argument("--per-class", type=int, help="images a class (all; 100 if --quick)")
    parser.add_argument("--quick", action="store_true", help="few images, one pass, small images")
    parser.add_argument("--out", type=Path, default=Path(out), help=f"for the figures ({out})")
    options = parser.parse_args()
    if options.quick:
        options.per_class = options.per_class or 100
        options.image_size = options.image_size or 64
    options.epochs = options.epochs or (1 if options.quick else 3)
    return options
