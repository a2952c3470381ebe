"""Learners on the Hugging Face hub: the same folder as ever, with a card that says what it is.

What is read is a checkpoint: JSON and safetensors, which hold data only. Nothing else of a
repository is fetched, and nothing that it holds is executed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeVar

from .atomic import write_atomically
from .errors import DownloadError
from .optional import import_extra

__all__ = ["HubMixin"]

H = TypeVar("H", bound="HubMixin")

_FILES = ["checkpoint.json", "tensors-*.safetensors"]
_CARD = """\
---
library_name: plasticish
tags: [continual-learning, {kind}]
---

# {title}

A `{title}` of plasticish {version}: a learner that never stops learning. Take it, and teach it on:

```python
from plasticish import LEARNERS

learner = LEARNERS["{kind}"].from_pretrained("{name}")
```
"""


class HubMixin:
    """``save_pretrained``, ``from_pretrained`` and ``push_to_hub`` for whatever saves and loads."""

    kind: ClassVar[str]

    def save_pretrained(self, path: str | Path) -> Path:
        """Save into a folder as :meth:`save` does, with a card for the hub beside it.

        Raises
        ------
        CheckpointError
            If the folder holds something else or cannot be written; nothing there is changed.

        Examples
        --------
        >>> from plasticish import PlasticMemory
        >>> memory = PlasticMemory("plain")
        >>> report = memory.learn("abab")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     place = memory.save_pretrained(f"{folder}/mine")
        ...     again = PlasticMemory.from_pretrained(place)
        >>> again.infer("ab")
        'abab'
        """
        saver: Any = self
        folder = Path(saver.save(path))
        if not (folder / "README.md").exists():  # one's own card stays
            write_atomically(folder / "README.md", self._card(str(path)).encode())
        return folder

    @classmethod
    def from_pretrained(
        cls: type[H],
        name: str | Path,
        *,
        revision: str | None = None,
        token: str | None = None,
        cache_dir: str | Path | None = None,
    ) -> H:
        """Load from a folder, or from a repository of the hub.

        Parameters
        ----------
        name : path or str
            A folder, or ``"user/repository"``.
        revision : str, optional
            Branch, tag or commit of the repository.
        token : str, optional
            For a private one; by default that of ``hf auth login``.
        cache_dir : path, optional
            Where what was fetched is kept.

        Raises
        ------
        CheckpointError
            If what is there is no checkpoint of this learner.
        DownloadError
            If the repository cannot be reached, or there is none.
        MissingExtraError
            If it is to be fetched, and the extra ``hub`` is not installed.
        """
        folder = name if Path(name).is_dir() else _fetched(str(name), revision, token, cache_dir)
        loader: Any = cls
        learner: H = loader.load(folder)
        return learner

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool | None = None,
        token: str | None = None,
        message: str = "A learner that goes on learning",
    ) -> str:
        """Put the learner into a repository of the hub, and return its address.

        The repository is made if there is none. What it held of the learner before is replaced in
        one commit; its other files stay.

        Parameters
        ----------
        repository : str
            ``"user/repository"``.
        private : bool, optional
            Whether a new one is private.
        token : str, optional
            By default that of ``hf auth login``.
        message : str
            Of the commit.

        Raises
        ------
        DownloadError
            If the hub cannot be reached, or refuses it.
        MissingExtraError
            If the extra ``hub`` is not installed.
        """
        hub = _hub("putting a learner on the hub")
        with tempfile.TemporaryDirectory() as place:
            folder = self.save_pretrained(Path(place) / "learner")
            write_atomically(folder / "README.md", self._card(repository).encode())
            try:
                api = hub.HfApi(token=token)
                api.create_repo(repository, private=private, exist_ok=True)
                card = [] if not api.file_exists(repository, "README.md") else ["README.md"]
                api.upload_folder(
                    repo_id=repository,
                    folder_path=folder,
                    commit_message=message,
                    allow_patterns=[*_FILES, "README.md"],
                    ignore_patterns=card,
                    delete_patterns=["tensors-*.safetensors"],
                )
            except Exception as error:
                raise DownloadError(
                    f"{repository} could not be put on the hub",
                    got=f"{type(error).__name__}: {error}",
                    cure="check the name, the token (hf auth login) and the network",
                ) from error
        return f"{hub.constants.ENDPOINT}/{repository}"

    def _card(self, name: str) -> str:
        from .checkpoint import package_version

        title = type(self).__name__
        return _CARD.format(title=title, kind=self.kind, name=name, version=package_version())


def _fetched(
    name: str, revision: str | None, token: str | None, cache_dir: str | Path | None
) -> Path:
    hub = _hub("loading from the hub")
    try:
        return Path(
            hub.snapshot_download(
                name, revision=revision, token=token, cache_dir=cache_dir, allow_patterns=_FILES
            )
        )
    except Exception as error:  # the hub has dozens of errors, and so has the network
        raise DownloadError(
            f"{name} could not be fetched from the hub",
            got=f"{type(error).__name__}: {error}",
            cure="check the name, the token and the network, or give a folder",
        ) from error


def _hub(purpose: str) -> ModuleType:
    return import_extra("huggingface_hub", "hub", purpose)
