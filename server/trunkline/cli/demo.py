"""`trunkline demo`."""

import sys

import click


@click.command("demo")
def command() -> None:
    """See the whole way from an editor to a model and back, against a simulated provider on this machine."""
    from trunkline.demo.run import main

    sys.exit(main())
