"""timm for the tests of the eyes, on machines whose torchvision has no compiled operators too."""

from typing import Any

import pytest
import torch

_libraries: list[torch.library.Library] = []  # a declaration lives as long as its Library


@pytest.fixture(scope="session")
def timm() -> Any:
    """Hand out timm, or skip and say why."""
    if not hasattr(torch.ops.torchvision, "nms"):
        boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(operator + boxes)
        _libraries.append(library)
    try:
        import timm as module
    except Exception as error:  # a torchvision that does not fit torch fails in many ways
        pytest.skip(f"timm cannot be imported here: {error}")
    return module
