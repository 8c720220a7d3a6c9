"""The `trunkline` command. `--stdio` goes straight to the server: an editor waits for it."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


def main() -> None:
    """Run the command line, or the server where an editor asks for it; exits with its code."""
    sys.excepthook = _show_crash
    arguments = sys.argv[1:]
    is_serve = arguments[:1] == ["serve"]
    if is_serve or ("--stdio" in arguments and arguments[0].startswith("-")):
        from trunkline.rpc.stdio import main as serve

        sys.exit(serve(arguments[is_serve:]))
    from trunkline.cli.main import trunkline

    trunkline(prog_name="trunkline")


def _show_crash(kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
    """What nobody foresaw, as Python shows it, but without keys."""
    from traceback import format_exception

    from trunkline.secrets import scrub

    sys.stderr.write(scrub("".join(format_exception(kind, error, trace))))


if __name__ == "__main__":
    main()
