"""Where the process's log goes: warnings to stderr, everything to a file that the user asked for.

Every line is scrubbed of keys. The lines of libraries that quote message bodies are off.
"""

import logging
import os
import sys

from typing_extensions import override

from trunkline.secrets import scrub


def log_to(path: str | None, *, audit: bool = False) -> None:
    """Set logging up. A file that cannot be opened is said on stderr and is no reason not to start.

    `audit` is whether stderr also gets what clients from elsewhere do (see `remote.audit`).
    """
    handlers: list[logging.Handler] = [_to_stderr()]
    if path is not None:
        try:
            handlers.append(_to_file(path))
        except OSError as error:
            sys.stderr.write(f"trunkline: cannot write the log file {path}: {error.strerror}\n")
    logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
    for noisy in ("pygls", "httpx", "httpcore", "asyncio", "mcp", "httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    if path is not None:
        logging.getLogger("trunkline").setLevel(logging.DEBUG)
    if audit:
        lines = logging.StreamHandler(sys.stderr)
        lines.setFormatter(_Scrubbing("%(asctime)s %(name)s: %(message)s"))
        logging.getLogger("trunkline.audit").setLevel(logging.INFO)
        logging.getLogger("trunkline.audit").addHandler(lines)


def _to_stderr() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_Scrubbing("%(levelname)s %(name)s: %(message)s"))
    return handler


def _to_file(path: str) -> logging.Handler:
    # Private from the first byte: it tells what somebody does and when.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_Scrubbing("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    return handler


class _Scrubbing(logging.Formatter):
    @override
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))
