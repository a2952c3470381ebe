"""Where files of a data set lie, and how they get there: verified first, in place at once."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.request import urlopen

from plasticish.core import DataError, DownloadError, track

__all__ = ["cache_folder", "fetch", "find_folder", "not_found"]

ENVIRONMENT = "PLASTICISH_DATA"
CHUNK = 1 << 18
TIMEOUT_S = 30.0


def cache_folder() -> Path:
    """Return the folder of this user in which downloads are kept; it need not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "plasticish"


def find_folder(
    name: str,
    root: str | Path | None,
    holds: Callable[[Path], bool],
    system: Sequence[Path] = (),
) -> tuple[Path | None, list[Path]]:
    """Look for the folder of a data set.

    Parameters
    ----------
    name : str
        Its usual name.
    root : path, optional
        Look nowhere else than here: the folder itself, or the one that holds it.
    holds : callable
        Whether a folder has what is looked for.
    system : sequence of Path
        Where the operating system's own packages put it.

    Returns
    -------
    folder : Path or None
        The first that holds it.
    places : list of Path
        Where was looked, in order: ``root``; or ``$PLASTICISH_DATA``, ``system``, the cache.
    """
    if root is not None:
        places = [Path(root).expanduser(), Path(root).expanduser() / name]
    else:
        shared = os.environ.get(ENVIRONMENT)
        places = [Path(shared).expanduser() / name] if shared else []
        places += [*system, cache_folder() / name]
    return next((place for place in places if holds(place)), None), places


def not_found(title: str, name: str, places: Sequence[Path]) -> DataError:
    """Return the error for a data set that lies nowhere."""
    return DataError(
        f"{title} was not found",
        got="nothing of it in " + ", ".join(map(str, places)),
        cure=f"set {ENVIRONMENT} to the folder that holds {name}/, or download it "
        "(download=True, or --download on the command line)",
    )


def fetch(url: str, target: Path, *, md5: str, max_bytes: int) -> Path:
    """Download ``url`` to ``target``, which appears only once its checksum is right.

    Parameters
    ----------
    url : str
        What to fetch.
    target : Path
        Where to put it; folders are made.
    md5 : str
        Published checksum.
    max_bytes : int
        Give up beyond this size: something else is being served.

    Raises
    ------
    DownloadError
        If it cannot be fetched or written, or is not what was published.
    """
    with _explained(url), _partial_beside(target) as (stream, partial):
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        for chunk in _chunks(url, f"downloading {target.name}"):
            size += len(chunk)
            if size > max_bytes:
                break  # the checksum of a cut file is wrong, and says so below
            digest.update(chunk)
            stream.write(chunk)
        if digest.hexdigest() != md5 or size > max_bytes:
            raise DownloadError(
                f"the download of {url} is damaged or is another file",
                got=f"md5 {digest.hexdigest()} ({size} bytes)",
                expected=f"md5 {md5}",
                cure=f"try again, or fetch it yourself and set {ENVIRONMENT}; nothing was kept",
            )
        stream.flush()
        os.fsync(stream.fileno())
        partial.replace(target)
    return target


def _chunks(url: str, description: str) -> Iterator[bytes]:
    with urlopen(url, timeout=TIMEOUT_S) as response:
        length = int(response.headers.get("Content-Length") or 0)
        chunks = iter(lambda: response.read(CHUNK), b"")
        yield from track(chunks, description, total=-(-length // CHUNK) or None)


@contextmanager
def _partial_beside(target: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a temporary file on the same disk, and leave nothing of it behind."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
    ) as stream:
        partial = Path(stream.name)
        try:
            yield stream, partial
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except DownloadError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(
            f"{url} could not be downloaded",
            got=str(error) or type(error).__name__,
            cure=f"check the network, or set {ENVIRONMENT} to a folder that holds the data",
        ) from error
