"""Scenarios of conversation: what was taught is said, what is like it is answered alike."""
