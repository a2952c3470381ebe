"""The command line: one file a command, and what the commands share.

Nothing here learns, measures or draws anything that the packages below could: a command reads
arguments, calls them, and prints. Modules that hold a command import the rest of the library only
when the command runs, so that ``plasticish --help`` answers at once.
"""
