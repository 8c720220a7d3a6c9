"""The `trunkline` command. `--stdio` goes straight to the server: an editor waits for it."""

import sys


def main() -> None:
    """Run the command line, or the server where an editor asks for it; exits with its code."""
    arguments = sys.argv[1:]
    is_serve = arguments[:1] == ["serve"]
    if is_serve or ("--stdio" in arguments and arguments[0].startswith("-")):
        from trunkline.rpc.stdio import main as serve

        sys.exit(serve(arguments[is_serve:]))
    from trunkline.cli.main import trunkline

    trunkline(prog_name="trunkline")


if __name__ == "__main__":
    main()
