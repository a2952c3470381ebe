"""Every way people write the address of a server, and what is none."""

from __future__ import annotations

import pytest

from plasticish.conversation.teachers.address import base_url, is_loopback
from plasticish.core import ConfigError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://localhost:1234", "http://localhost:1234/v1"),
        ("http://localhost:1234/", "http://localhost:1234/v1"),
        ("http://localhost:1234/v1", "http://localhost:1234/v1"),
        (" http://localhost:1234/v1/ ", "http://localhost:1234/v1"),
        ("http://localhost:1234/v1/chat/completions", "http://localhost:1234/v1"),
        ("http://localhost:1234/v1/chat/completions/", "http://localhost:1234/v1"),
        ("http://localhost:1234/chat/completions", "http://localhost:1234/v1"),
        ("https://host/openai/v1", "https://host/openai/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_one_address_is_made_of_all(given, expected):
    assert base_url(given) == expected
    assert base_url(expected) == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:1234",
        "ftp://localhost/v1",
        "file:///etc/passwd",
        "http://",
        "http:///v1",
        "http://localhost:port/v1",
        "http://localhost:99999/v1",
        "http://[::1/v1",
        "http://localhost/v1?key=1",
        "http://localhost/v1#top",
    ],
)
def test_what_is_no_address_is_refused(given):
    with pytest.raises(ConfigError, match=r"Give it as http://localhost:1234/v1"):
        base_url(given)


def test_a_password_is_refused_and_not_repeated():
    with pytest.raises(ConfigError, match="api_key") as caught:
        base_url("http://me:secret@host/v1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_is_known_by_all_its_names(host):
    assert is_loopback(f"http://{host}:1/v1")


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.evil.com", "example.com", "[2001:db8::1]"])
def test_other_machines_are_not(host):
    assert not is_loopback(f"http://{host}:1/v1")
