"""A learner that starts with nothing and learns to talk with you, and those who teach it.

Here live the tokenizer that grows with what it hears, the measure of how close a reply came to the
one wanted, and the teachers. What is said is data: it is never evaluated, fetched or executed. How
a conversation looks in a terminal is for :mod:`plasticish.cli`.
"""

from .closeness import chrf
from .config import PlasticLearnerConfig
from .conversation import Conversation
from .learner import ConversationalLearner
from .network import PlasticSNN
from .response import Response, Signals, SleepReport
from .teachers import (
    TEACHERS,
    CorpusTeacher,
    HumanTeacher,
    Lesson,
    LLMTeacher,
    ScriptedTeacher,
    Stage,
    Teacher,
    TeacherReply,
    TeacherUnavailable,
    open_teacher,
)
from .tokenizer import BiologicalTokenizer
from .vocabulary import END, START, Piece
from .why import Reason

__all__ = [
    "END",
    "START",
    "TEACHERS",
    "BiologicalTokenizer",
    "Conversation",
    "ConversationalLearner",
    "CorpusTeacher",
    "HumanTeacher",
    "LLMTeacher",
    "Lesson",
    "Piece",
    "PlasticLearnerConfig",
    "PlasticSNN",
    "Reason",
    "Response",
    "ScriptedTeacher",
    "Signals",
    "SleepReport",
    "Stage",
    "Teacher",
    "TeacherReply",
    "TeacherUnavailable",
    "chrf",
    "open_teacher",
]
