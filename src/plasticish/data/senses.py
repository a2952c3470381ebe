"""What a policy is given: the last observations and commands, from which physics can be felt."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray
from torch import Tensor

from plasticish.core import ConfigError

from .bodies import Body

__all__ = ["Senses", "sense_width"]


class Senses:
    """The recent past of a batch of episodes, as the input of a policy.

    One observation does not tell how heavy the body is; how it answered the last commands does. An
    input is the newest observation, the changes between the last ``frames`` observations, and the
    commands in between, each divided by its usual size (``body.scale``, ``body.change``, the
    largest command), which no physics alters. Before an episode has a past, its changes and
    commands are 0.

    Parameters
    ----------
    body : Body
        Whose observations and commands.
    episodes : int
        How many run side by side.
    frames : int
        Observations remembered, the newest included; at least 1.

    Examples
    --------
    >>> from plasticish.data import Pendulum
    >>> body, senses = Pendulum(), Senses(Pendulum(), episodes=2)
    >>> senses.see(body.observe(body.reset([0, 1]))).shape
    torch.Size([2, 15])
    """

    def __init__(self, body: Body, episodes: int, frames: int = 4) -> None:
        self.width = sense_width(body, frames)
        self._body = body
        self._seen = np.zeros((frames, episodes, body.width), dtype=np.float32)
        self._told = np.zeros((frames - 1, episodes))
        self._begun = np.zeros(episodes, dtype=bool)

    def see(self, observations: Float32[ndarray, "episodes seen"]) -> Float32[Tensor, "episodes w"]:
        """Take in the next observations and return the inputs."""
        self._seen[1:] = self._seen[:-1]
        self._seen[0] = observations
        self._seen[:, ~self._begun] = observations[~self._begun]
        self._begun[:] = True
        body = self._body
        changes = (self._seen[:-1] - self._seen[1:]) / np.array(body.change)
        told = self._told / max(body.commands)
        parts = [self._seen[:1] / np.array(body.scale), changes, told[:, :, None]]
        rows = [part.transpose(1, 0, 2).reshape(len(observations), -1) for part in parts]
        return torch.from_numpy(np.concatenate(rows, axis=1).astype(np.float32))

    def act(self, labels: Int64[ndarray, " episodes"]) -> None:
        """Take in the commands that the body was given."""
        if len(self._told):
            self._told[1:] = self._told[:-1]
            self._told[0] = self._body.command(labels)

    def forget(self, which: Bool[ndarray, " episodes"]) -> None:
        """Forget the past of some episodes, since new ones begin in their places."""
        self._told[:, which] = 0
        self._begun[which] = False


def sense_width(body: Body | type[Body], frames: int = 4) -> int:
    """Return the width of the inputs that :class:`Senses` makes.

    Raises
    ------
    ConfigError
        If ``frames`` is less than 1.
    """
    if frames < 1:
        raise ConfigError("frames is out of range", got=repr(frames), expected="at least 1")
    return frames * body.width + frames - 1
