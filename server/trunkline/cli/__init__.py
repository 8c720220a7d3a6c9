"""The command line, in-process on the same `Application` that editors get.

Answers go to stdout, everything about them to stderr. Exit codes: 0 done, 1 failed or incomplete (the reason
is on stderr), 2 wrong usage, 3 a key is missing or not accepted, 130 interrupted.
"""
