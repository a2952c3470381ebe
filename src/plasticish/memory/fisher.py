r"""Which weights matter: the diagonal of the Fisher information, one example at a time.

.. math::
    F_i = \frac{1}{N} \sum_n \mathbb{E}_{y \sim p_\theta(\cdot \mid x_n)}
          \Big[ \Big( \frac{\partial \log p_\theta(y \mid x_n)}{\partial \theta_i} \Big)^2 \Big]

The square stands inside the mean, so gradients are needed for every example: the square of a
batch's mean gradient is another quantity, which shrinks as the batch grows [2]_. Every mode below
is a set of *scores* :math:`s_k`, derivatives of the log-likelihood by the outputs, that are pulled
back to the weights and squared: :math:`F = \frac1N \sum_n \sum_k (J_n^\top s_k)^2`.

============== ===========================================================================
mode           scores of an example
============== ===========================================================================
``"exact"``    :math:`\sqrt{p_c}\,(e_c - p)` for every class *c*: the expectation, in closed form
``"sampled"``  :math:`e_y - p` for one :math:`y \sim p`: unbiased, one gradient an example
``"empirical"`` :math:`e_y - p` for the label that was given: the "empirical Fisher", which is
               another quantity wherever the model is not right [2]_
============== ===========================================================================

References
----------
.. [1] J. Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 114
   (2017).
.. [2] F. Kunstner, L. Balles, P. Hennig, "Limitations of the empirical Fisher approximation for
   natural gradient descent", NeurIPS 2019.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap

from plasticish.core import ConfigError, DataError, as_batches, make_generator
from plasticish.core.evaluating import evaluation_mode

from .checks import check_whole

__all__ = ["FisherMode", "Likelihood", "fisher_diagonal"]

FisherMode = Literal["exact", "sampled", "empirical"]
Likelihood = Literal["categorical", "gaussian"]
_MOST_NUMBERS = 1 << 21  # gradients held at once, of all examples and scores together
Weights = dict[str, Tensor]


def fisher_diagonal(
    model: nn.Module,
    batches: Any,
    num_samples: int = 1000,
    *,
    mode: str = "exact",
    likelihood: str = "categorical",
    classes: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Weights:
    """Return the diagonal of the Fisher information of every trainable parameter.

    The model is looked at in eval mode (a batch norm's running statistics stand for the batch, so
    an example's gradient is its own) and left as it was. Examples are taken in the order of the
    loader; how the loader cuts them into batches makes no difference to a single bit.

    Parameters
    ----------
    model : nn.Module
        Maps inputs ``[batch, ...]`` to outputs ``[batch, ..., out]``: logits, or means of a
        Gaussian with unit variance.
    batches : iterable of (inputs, labels)
        A loader, or one pair. Labels are looked at in the empirical mode only.
    num_samples : int
        The most examples that are used.
    mode : {"exact", "sampled", "empirical"}
        See the table of the module. The exact expectation costs one gradient a class and has no
        noise; prefer ``"sampled"`` for hundreds of classes.
    likelihood : {"categorical", "gaussian"}
        What the outputs are parameters of.
    classes : Tensor of int64 [classes], optional
        The outputs that take part in the softmax (those of a task, say); by default all.
    generator : torch.Generator, optional
        Draws the labels of the sampled mode; by default one of seed 0.

    Returns
    -------
    dict of str to Tensor
        By the names of ``model.named_parameters()``; each has the shape of its parameter.

    Raises
    ------
    DataError
        If there are no examples, or a gradient is not finite.
    ConfigError
        If a setting is unknown, or the model has nothing to train.

    Examples
    --------
    A softmax unit of two classes at zero weights: p = 1/2, so F = x² p (1 - p) for both.

    >>> unit = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(unit.weight)
    >>> fisher_diagonal(unit, ([[2.0]], [0]))["weight"].flatten()
    tensor([1.0000, 1.0000])
    """
    _check(model, num_samples, mode, likelihood)
    inputs, labels = _gathered(batches, num_samples)
    draw = generator or make_generator(0)
    scores = _Scores(mode, likelihood, classes, draw)
    weights = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
    with evaluation_mode(model):
        try:
            total = _by_vmap(model, weights, inputs, labels, scores)
        except RuntimeError:
            # Control flow that looks at values, or an operation that cannot be batched. What is
            # wrong with the model itself fails here again, in its own words.
            draw.set_state(scores.start)
            total = _by_loop(model, weights, inputs, labels, scores)
    for name, value in total.items():
        if not bool(torch.isfinite(value).all()):
            raise DataError(
                f"the importance of {name} is not finite",
                cure="look for NaN in the data or in the weights",
            )
    return {name: (value / len(inputs)).to(weights[name].dtype) for name, value in total.items()}


def _check(model: nn.Module, num_samples: int, mode: str, likelihood: str) -> None:
    check_whole(num_samples=num_samples)
    for name, value, choices in (
        ("mode", mode, FisherMode),
        ("likelihood", likelihood, Likelihood),
    ):
        if value not in get_args(choices):
            expected = "one of: " + ", ".join(get_args(choices))
            raise ConfigError(f"unknown {name}", got=repr(value), expected=expected)
    if not any(p.requires_grad for p in model.parameters()):
        raise ConfigError(
            "the model has no trainable parameter", cure="set requires_grad on what should learn"
        )


def _gathered(batches: Any, num_samples: int) -> tuple[Tensor, Tensor]:
    """Return the first ``num_samples`` examples as one pair, however they were cut."""
    inputs, labels, count = [], [], 0
    for x, y in as_batches(batches):
        rows = torch.as_tensor(x)[: num_samples - count]
        inputs.append(rows)
        labels.append(torch.as_tensor(y)[: num_samples - count])
        count += len(rows)
        if count >= num_samples:
            break
    if count == 0:
        raise DataError(
            "there is nothing to compute the importance on",
            got="an empty loader",
            expected="at least one example",
        )
    return torch.cat(inputs), torch.cat(labels)


class _Scores:
    """Derivatives of the log-likelihood by the outputs of a chunk, ``[scores, *outputs]``."""

    def __init__(
        self, mode: str, likelihood: str, classes: Tensor | None, generator: torch.Generator
    ) -> None:
        self.mode, self.categorical, self.classes = mode, likelihood == "categorical", classes
        self.generator, self.start = generator, generator.get_state()

    def count(self, outputs: Tensor) -> int:
        """Return how many scores an example has."""
        return outputs[0].numel() if self.mode == "exact" else 1

    @torch.no_grad()
    def __call__(self, outputs: Tensor, labels: Tensor) -> Tensor:
        if not self.categorical:
            return self._gaussian(outputs, labels)
        logits = outputs
        if self.classes is not None:
            logits = torch.full_like(outputs, -torch.inf)
            logits[..., self.classes] = outputs[..., self.classes]
        p = logits.softmax(dim=-1)
        if self.mode == "exact":
            return self._every_class(p)
        if self.mode == "sampled":
            flat = p.flatten(0, -2)
            drawn = torch.multinomial(flat.cpu(), 1, generator=self.generator)
            labels = drawn.to(p.device).reshape(p.shape[:-1])
        hot = torch.nn.functional.one_hot(labels.long(), p.shape[-1]).to(p.dtype)
        return (hot - p)[None]

    def _every_class(self, p: Tensor) -> Tensor:
        """One score a class and position: positions of a sequence are independent given x."""
        rows, out = len(p), p.shape[-1]
        flat = p.reshape(rows, -1, out)
        score = (torch.eye(out, dtype=p.dtype, device=p.device) - flat[..., None, :]) * flat[
            ..., None
        ].sqrt()
        positions = flat.shape[1]
        spread = score.new_zeros(positions, out, rows, positions, out)
        for t in range(positions):
            spread[t, :, :, t] = score[:, t].transpose(0, 1)
        return spread.reshape(positions * out, *p.shape)

    def _gaussian(self, outputs: Tensor, labels: Tensor) -> Tensor:
        if self.mode == "exact":
            unit = torch.eye(outputs[0].numel(), dtype=outputs.dtype, device=outputs.device)
            unit = unit.reshape(-1, 1, *outputs.shape[1:])
            return unit.expand(-1, *outputs.shape)
        if self.mode == "sampled":
            noise = torch.randn(outputs.shape, generator=self.generator, dtype=outputs.dtype)
            return noise.to(outputs.device)[None]
        return (labels.to(outputs.dtype).reshape(outputs.shape) - outputs)[None]


def _blank(weights: Weights) -> Weights:
    """Return sums at zero; in float64, for a million small squares add up to what float32 loses."""
    return {name: torch.zeros_like(w, dtype=torch.float64) for name, w in weights.items()}


def _by_vmap(
    model: nn.Module, weights: Weights, inputs: Tensor, labels: Tensor, scores: _Scores
) -> Weights:
    fixed = {name: p.detach() for name, p in model.named_parameters() if not p.requires_grad}
    fixed.update(model.named_buffers())

    def squared(x: Tensor, score: Tensor) -> Weights:
        def answer(w: Weights) -> Tensor:
            outputs: Tensor = functional_call(model, {**w, **fixed}, (x[None],))
            return outputs[0]

        pull = vjp(answer, weights)[1]
        (gradients,) = vmap(pull)(score)
        return {name: g.square().sum(dim=0) for name, g in gradients.items()}

    total = _blank(weights)
    with torch.no_grad():
        each = scores.count(model(inputs[:1]))
    rows = max(1, _MOST_NUMBERS // (each * sum(w.numel() for w in weights.values())))
    for start in range(0, len(inputs), rows):
        x, y = inputs[start : start + rows], labels[start : start + rows]
        with torch.no_grad():
            score = scores(model(x), y)
        parts = vmap(squared, in_dims=(0, 1))(x, score)
        for name, part in parts.items():
            total[name] += part.sum(dim=0, dtype=torch.float64)
    return total


def _by_loop(
    model: nn.Module, weights: Weights, inputs: Tensor, labels: Tensor, scores: _Scores
) -> Weights:
    total = _blank(weights)
    trained = [p for _, p in model.named_parameters() if p.requires_grad]
    for x, y in zip(torch.split(inputs, 1), torch.split(labels, 1), strict=True):
        with torch.enable_grad():
            outputs = model(x)
        for score in scores(outputs.detach(), y):
            gradients = torch.autograd.grad(
                outputs, trained, score, retain_graph=True, allow_unused=True
            )
            for name, gradient in zip(weights, gradients, strict=True):
                if gradient is not None:
                    total[name] += gradient.square()
    return total
