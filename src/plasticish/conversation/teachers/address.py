"""Where a teacher is: any way people write the address of an OpenAI-compatible server."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from plasticish.core import ConfigError

__all__ = ["base_url", "is_loopback"]

_CURE = "give it as http://localhost:1234/v1, or with /chat/completions at its end"


def base_url(url: str) -> str:
    """Return the address that ``/models`` and ``/chat/completions`` are appended to.

    Raises
    ------
    ConfigError
        If it is no http address of a server, or holds a password, query or fragment.

    Examples
    --------
    >>> base_url("http://localhost:1234/v1/chat/completions")
    'http://localhost:1234/v1'
    >>> base_url("http://localhost:11434"), base_url("https://host/openai/v1/")
    ('http://localhost:11434/v1', 'https://host/openai/v1')
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("this is no address", got=repr(url), cure=_CURE) from error
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError("this is no http address of a server", got=repr(url), cure=_CURE)
    if parts.username or parts.password:
        raise ConfigError(
            "the address of a teacher holds a password",
            cure="leave it out, and give the key as api_key",
        )
    if parts.query or parts.fragment:
        raise ConfigError("the address has a query or a fragment", got=repr(url), cure=_CURE)
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def is_loopback(url: str) -> bool:
    """Whether the server runs on this machine.

    Examples
    --------
    >>> [is_loopback(url) for url in ("http://localhost:1/v1", "http://[::1]:1", "http://a.b/v1")]
    [True, True, False]
    """
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
