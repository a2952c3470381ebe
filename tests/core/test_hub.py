"""A learner goes to the hub and comes back, by a server on loopback that speaks as the hub does."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from plasticish import AssociativeCortex
from plasticish.core import CheckpointError, DownloadError, MissingExtraError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """One model repository; ``files`` is what it holds, ``asked`` what was asked for."""

    files: dict[str, bytes]
    asked: list[str]

    def log_message(self, *_: Any) -> None:
        pass

    def _send(self, body: Any = b"", status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        name = self.path.split("?")[0].rpartition("/")[2]
        if self.path.startswith("/api/models/somebody/learner"):
            siblings = [{"rfilename": name} for name in self.files]
            entries = [
                {"type": "file", "path": name, "size": len(content), "oid": COMMIT}
                for name, content in self.files.items()
            ]
            tree = "/tree/" in self.path
            self._send(
                entries if tree else {"id": "somebody/learner", "sha": COMMIT, "siblings": siblings}
            )
        elif "/resolve/" in self.path and name in self.files:
            etag = f'"{abs(hash(self.files[name])):x}"'
            self._send(self.files[name], ETag=etag, X_Repo_Commit=COMMIT)
        else:
            self._send({"error": "not found"}, 404, X_Error_Code="EntryNotFound")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.asked.append(self.path)
        if self.path.endswith("/repos/create"):
            self._send({"url": "http://127.0.0.1/somebody/learner", "name": "somebody/learner"})
        elif self.path.endswith("/validate-yaml"):
            self._send({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            mode = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            self._send({"files": [{"path": file["path"], **mode} for file in files]})
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    self.files[value["path"]] = base64.b64decode(value["content"])
                if line["key"] == "deletedFile":
                    del self.files[value["path"]]
            self._send(
                {
                    "commitUrl": f"http://{self.headers['Host']}/somebody/learner/commit/{COMMIT}",
                    "commitOid": COMMIT,
                    "success": True,
                }
            )
        else:
            self._send({"error": "unknown"}, 404)


@pytest.fixture
def hub() -> Iterator[tuple[str, type[Hub]]]:
    handler = type("OneHub", (Hub,), {"files": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def run(code: str, address: str, home: Path) -> str:
    """Run ``code`` in a process of its own, since the client reads its address when it loads."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1",
             "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def taught() -> AssociativeCortex:
    cortex = AssociativeCortex(3, expansion=0)
    cortex.learn((torch.eye(3), torch.arange(3)))
    return cortex


def test_a_folder_is_enough(tmp_path: Path) -> None:
    cortex = taught()
    folder = cortex.save_pretrained(tmp_path / "mine")
    again = AssociativeCortex.from_pretrained(folder)
    again.sleep()
    assert again.predict(torch.eye(3)).tolist() == [0, 1, 2]
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: plasticish\n")
    (folder / "README.md").write_text("my own words")
    cortex.save_pretrained(folder)
    assert (folder / "README.md").read_text() == "my own words"


def test_it_goes_to_the_hub_and_comes_back(tmp_path: Path, hub: tuple[str, type[Hub]]) -> None:
    pytest.importorskip("huggingface_hub")
    address, server = hub
    pushed = """
import torch
from plasticish import AssociativeCortex
cortex = AssociativeCortex(3, expansion=0)
for _ in range(2):
    cortex.learn((torch.eye(3), torch.arange(3)))
    print(cortex.push_to_hub("somebody/learner", token="hf_x"))
"""
    assert run(pushed, address, tmp_path) == f"{address}/somebody/learner\n" * 2
    names = sorted(server.files)
    assert names[:2] == ["README.md", "checkpoint.json"]
    assert len(names) == 3  # the tensors of the first push are gone
    server.files["evil.py"] = b"raise SystemExit('executed')"
    server.files["pytorch_model.bin"] = b"a pickle"
    server.asked.clear()
    pulled = """
import torch
from plasticish import LEARNERS
cortex = LEARNERS["associative_cortex"].from_pretrained("somebody/learner", token="hf_x")
cortex.sleep()
print(cortex.seen, cortex.predict(torch.eye(3)).tolist())
"""
    assert run(pulled, address, tmp_path) == "6 [0, 1, 2]\n"
    fetched = {path.rpartition("/")[2] for path in server.asked if "/resolve/" in path}
    assert fetched == {"checkpoint.json", names[2]}


def test_what_goes_wrong_is_one_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")

    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(DownloadError, match=r"somebody/learner could not be fetched.*no route"):
        AssociativeCortex.from_pretrained("somebody/learner")
    monkeypatch.setattr("huggingface_hub.HfApi.create_repo", unreachable)
    with pytest.raises(DownloadError, match=r"somebody/learner could not be put on the hub"):
        taught().push_to_hub("somebody/learner")
    (tmp_path / "stranger").mkdir()
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        AssociativeCortex.from_pretrained(tmp_path / "stranger")


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"plasticish\[hub\]"):
        AssociativeCortex.from_pretrained("somebody/learner")
