"""The first call of a kernel compiles it: no deadline may count that."""

from hypothesis import settings

settings.register_profile("compiling", deadline=None)
settings.load_profile("compiling")
