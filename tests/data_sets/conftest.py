"""No test may find a data set of this computer, or reach the network, by accident."""

import pytest

from plasticish.data import download, fashion


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path_factory, request):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    if request.node.get_closest_marker("needs_data") is None:
        monkeypatch.delenv("PLASTICISH_DATA", raising=False)

    monkeypatch.setattr(fashion, "SYSTEM", ())  # where the system's own package may have put it

    def offline(url, timeout):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(download, "urlopen", offline)
