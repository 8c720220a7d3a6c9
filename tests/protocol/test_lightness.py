"""What importing the contract costs."""

import subprocess
import sys


def test_no_model_is_built_before_it_is_used() -> None:
    """A default that is a model would build its schema when its module is imported: a factory does not."""
    code = (
        "import trunkline_protocol.commands, trunkline_protocol.methods\n"
        "from trunkline_protocol.base import WireModel\n"
        "def models(base):\n"
        "    for model in base.__subclasses__():\n"
        "        yield model\n"
        "        yield from models(model)\n"
        "found = list(models(WireModel))\n"
        "assert len(found) > 100\n"
        "built = [model.__name__ for model in found if model.__pydantic_complete__]\n"
        "assert built == [], built\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
