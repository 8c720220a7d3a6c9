"""The `trunkline` command. `--stdio` and `attach` go straight to what they start: an editor waits for it."""

import os
import sys

TYPE_CHECKING = False  # importing the module `typing` takes longer than connecting to a server
if TYPE_CHECKING:
    from types import TracebackType


def main() -> None:
    """Run the command line, or the server where an editor asks for it; exits with its code."""
    sys.excepthook = _show_crash
    _open_what_is_closed()
    arguments = sys.argv[1:]
    if arguments[:1] == ["attach"] and not {"--follow", "--help", "-h"} & {
        word.partition("=")[0] for word in arguments
    }:
        from trunkline.remote.attach.command import main as attach

        sys.exit(attach(arguments[1:]))
    is_serve = arguments[:1] == ["serve"]
    if is_serve or ("--stdio" in arguments and arguments[0].startswith("-")):
        from trunkline.rpc.stdio import main as serve

        sys.exit(serve(arguments[is_serve:]))
    import gc

    # Little of what a command makes is garbage before it ends; looking for it takes a sixteenth of its time.
    gc.set_threshold(50_000)
    from trunkline.cli.main import main as command_line

    command_line()


def _open_what_is_closed() -> None:
    """Let closed standard streams lead nowhere: the next file that is opened would take their number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - pathlib is slow


def _show_crash(kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
    """What nobody foresaw, as Python shows it, but without keys; Ctrl-C is foreseen."""
    if kind is KeyboardInterrupt:
        return
    from traceback import format_exception

    from trunkline.secrets import scrub

    sys.stderr.write(scrub("".join(format_exception(kind, error, trace))))


if __name__ == "__main__":
    main()
