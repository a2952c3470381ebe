"""Scripts that show the library at work; run them from anywhere, with ``--help`` for options."""
