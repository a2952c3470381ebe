"""One OpenAI-compatible server, asked through the ``openai`` client within a hard time limit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any

from plasticish.core import import_extra

from .address import base_url, is_loopback
from .event_stream import StreamedReply, limited, read_reply
from .no_answer import NoAnswerError
from .wording import Message

__all__ = ["ChatServer"]

MOST_BYTES = 1 << 20
_SLOW = "choose a smaller model, or allow more time"
_START = "start it, or check its address; docs/teachers.md says how"


class ChatServer:
    """A server, and the model that it is asked for.

    Parameters
    ----------
    url : str
        As :func:`~plasticish.conversation.teachers.address.base_url` takes it.
    model : str or None
        Its name; the first that the server lists and that is made to chat by default.
    api_key : str or None
        Sent to this server; local ones take any. No key is looked for in the environment, since
        one that is meant for another server must not be sent to this one.
    timeout_s : float
        How long one wait for the next bytes may take; :meth:`complete` has a limit for all.

    Raises
    ------
    ConfigError
        If the address is none.
    MissingExtraError
        If the extra ``teacher`` is not installed.
    """

    def __init__(self, url: str, model: str | None, api_key: str | None, timeout_s: float) -> None:
        self.url, self.model = base_url(url), model
        self._openai: Any = import_extra("openai", "teacher", "a teacher behind a server")
        # A redirection would carry what was said to a server that nobody named, and so would the
        # proxy of the environment for a server that runs here.
        self._client: Any = self._openai.OpenAI(
            base_url=self.url,
            api_key=api_key or "none",
            timeout=timeout_s,
            max_retries=0,
            http_client=self._openai.DefaultHttpxClient(
                follow_redirects=False, trust_env=not is_loopback(self.url), timeout=timeout_s
            ),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def complete(
        self, messages: Sequence[Message], *, tokens: int, longest: int, seconds: float
    ) -> StreamedReply:
        """Return what the model says to ``messages``, if that takes no longer than ``seconds``.

        The time limits of HTTP clients hold for one read each: a server that sends a byte now and
        then would never run into them. So the question is asked in a thread, which is left alone
        when its time is up; it ends with the next bytes, or when their own time limit is up.

        Raises
        ------
        NoAnswerError
            If it says nothing that can be read, or not in time.
        """
        stop = Event()
        outcome: Queue[StreamedReply | NoAnswerError] = Queue(1)

        def work() -> None:
            try:
                outcome.put(self._complete(messages, tokens, longest, stop))
            except NoAnswerError as error:
                outcome.put(error)
            except Exception as error:  # whatever a foreign server makes the client raise
                outcome.put(self._explained(error))

        Thread(target=work, name="teacher", daemon=True).start()
        try:
            said = outcome.get(timeout=max(seconds, 0.0))
        except Empty:
            said = NoAnswerError(f"it did not answer within {seconds:.3g} s", _SLOW)
        finally:
            stop.set()
        if isinstance(said, NoAnswerError):
            raise said
        return said

    def _complete(
        self, messages: Sequence[Message], tokens: int, longest: int, stop: Event
    ) -> StreamedReply:
        if self.model is None:
            self.model = self._first_model(stop)
        with self._client.chat.completions.with_streaming_response.create(
            model=self.model, messages=list(messages), max_tokens=tokens, stream=True
        ) as response:
            return read_reply(limited(response.iter_bytes(), MOST_BYTES, stop), longest)

    def _first_model(self, stop: Event) -> str:
        with self._client.models.with_streaming_response.list() as response:
            content = b"".join(limited(response.iter_bytes(), MOST_BYTES, stop))
        try:
            models = [model["id"] for model in json.loads(content)["data"]]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise NoAnswerError(
                "its list of models cannot be read", "name the model, or check the address"
            ) from error
        # Some servers list the models that only embed as well.
        named = [name for name in models if isinstance(name, str) and "embed" not in name.lower()]
        if not named:
            raise NoAnswerError("it has no model that chats", "load one into it")
        return named[0]

    def _explained(self, error: Exception) -> NoAnswerError:
        openai = self._openai
        if isinstance(error, openai.APITimeoutError):
            return NoAnswerError("it did not answer in time", _SLOW)
        if isinstance(error, openai.APIConnectionError):
            detail = error.__cause__ or error
            return NoAnswerError(f"it cannot be reached: {_short(detail)}", _START, passing=True)
        if isinstance(error, openai.APIStatusError):
            code = error.status_code
            cures = {401: "give it its key as api_key", 404: "check its address and its model"}
            return NoAnswerError(
                f"it answered with status {code}",
                cures.get(code, "look at its log"),
                passing=code in (408, 409, 429) or code >= 500,
            )
        return NoAnswerError(
            f"the connection broke: {_short(error)}", "look at its log", passing=True
        )


def _short(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]
