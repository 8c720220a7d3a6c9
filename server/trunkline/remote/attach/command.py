"""The command line of the relay: read without a library, because an editor waits."""

import sys

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = """Usage: trunkline attach [unix:PATH | PATH | ws://HOST:PORT | wss://HOST:PORT] [--token-file FILE]
       trunkline attach [...] --follow SESSION
"""
_MISUSED = 2
_INTERRUPTED = 130


def main(argv: "Sequence[str]") -> int:
    """Relay between standard input and output and a server; the exit code."""
    given = list(argv)
    token_file: str | None = None
    targets: list[str] = []
    while given:
        word = given.pop(0)
        if word.startswith("--token-file="):
            token_file = word.partition("=")[2]
        elif word == "--token-file" and given:
            token_file = given.pop(0)
        elif word == "--stdio":
            continue  # what language clients add of their own accord
        else:
            targets.append(word)
    if len(targets) > 1 or any(target.startswith("-") for target in targets):
        sys.stderr.write(_USAGE)
        return _MISUSED
    return _relay(targets[0] if targets else None, token_file)


def _relay(target: str | None, token_file: str | None) -> int:
    import select

    if not hasattr(select, "poll"):  # Windows: pipes cannot be waited for there
        sys.stderr.write("trunkline: attach is not there on Windows yet; use it in WSL.\n")
        return _MISUSED
    from trunkline.remote.attach.destination import Destination
    from trunkline.remote.attach.relay import Relay

    try:
        return Relay(Destination(target, token_file)).run()
    except KeyboardInterrupt:
        return _INTERRUPTED
