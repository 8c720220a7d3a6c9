"""With what a command ends, besides 0 and click's 2 for wrong usage."""

FAILED = 1
"""Something did not work, or an answer is not complete."""
NO_KEY = 3
"""A key is missing, or is not accepted any more: a person has to do something."""
INTERRUPTED = 130
"""Ctrl-C, as shells have it."""

EXIT_CODES = (
    "Exit code: 0 the answer is complete; 1 it failed or is not complete; 2 wrong usage; 3 a key is missing "
    "or not accepted; 130 Ctrl-C."
)
