"""Those who show the learner what it should have said: a person, a corpus, a script, a model.

All are behind one protocol, :class:`Teacher`. A teacher that cannot be reached or understood says
so with :class:`TeacherUnavailable`, which holds nothing that could be learned from.
"""

from .choice import TEACHERS, open_teacher
from .corpus import CorpusTeacher
from .human import HumanTeacher
from .llm import LLMTeacher
from .protocol import (
    Answer,
    Lesson,
    LessonAnswer,
    Speaker,
    Stage,
    Teacher,
    TeacherReply,
    TeacherUnavailable,
    Turn,
)
from .scripted import ScriptedTeacher

__all__ = [
    "TEACHERS",
    "Answer",
    "CorpusTeacher",
    "HumanTeacher",
    "LLMTeacher",
    "Lesson",
    "LessonAnswer",
    "ScriptedTeacher",
    "Speaker",
    "Stage",
    "Teacher",
    "TeacherReply",
    "TeacherUnavailable",
    "Turn",
    "open_teacher",
]
