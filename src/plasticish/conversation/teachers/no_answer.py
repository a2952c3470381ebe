"""What can go wrong between a question to a server and its answer."""

from __future__ import annotations

__all__ = ["NoAnswerError"]


class NoAnswerError(Exception):
    """Why a server gave no usable answer; it never leaves the teacher.

    Parameters
    ----------
    problem, cure : str
        As those of :class:`~plasticish.conversation.teachers.TeacherUnavailable`.
    passing : bool
        Whether it may be over in a moment, so that asking again makes sense.
    """

    def __init__(self, problem: str, cure: str = "", *, passing: bool = False) -> None:
        super().__init__(problem)
        self.problem, self.cure, self.passing = problem, cure, passing
