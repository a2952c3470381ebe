"""The scenarios of seeing: images and features in, classes out, one class after another.

One file a scenario. Each builds its learners with the defaults of the library and no others, so
that nothing can be tuned here.
"""
