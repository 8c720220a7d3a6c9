"""From the spawn of a server to what an editor waits for first: the handshake, providers, models."""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import listing
import lives
from measure import Row
from peers import SHUT_IN
from processes import PROGRAM, Target

SERVERS = Path(__file__).parent / "servers"
BARE_PYTHON = Target(
    "bare Python",
    (sys.executable, str(SERVERS / "hello_python.py")),
    list_method="hello/list",
    small=("hello/list", {}),
)
BARE_PYGLS = Target(
    "bare pygls",
    (sys.executable, str(SERVERS / "hello_pygls.py")),
    list_method="hello/list",
    small=("hello/list", {}),
)


def measure(paths: Mapping[str, str], rounds: int) -> list[Row]:
    """Everybody by turns, each with a home of its own that is kept from round to round."""
    with tempfile.TemporaryDirectory() as folder:
        document = listing.document()
        catalogue = Path(folder) / "models.json"
        catalogue.write_text(json.dumps(document), encoding="utf-8")
        trunkline = Target(
            "Trunkline",
            (PROGRAM, "--stdio", "--offline"),
            list_method="provider/list",
            models=("model/list", {"providerIds": list(document)}),
            small=("auth/list", {"providerId": "acme-1"}),
            variables={"TRUNKLINE_MODELS_FILE": str(catalogue)},
        )
        return lives.measure(trunkline, (BARE_PYTHON, BARE_PYGLS, *references(paths)), rounds)


def references(paths: Mapping[str, str]) -> list[Target]:
    """Servers of others, as far as they are installed."""
    peers = {
        "jedi": Target("jedi-language-server", (paths.get("jedi", ""),)),
        "vscode-languageserver": Target(
            "node, vscode-languageserver",
            ("node", str(SERVERS / "hello_node.cjs"), paths.get("vscode-languageserver", "")),
            list_method="hello/list",
        ),
        "copilot": Target("Copilot language server", (paths.get("copilot", ""), "--stdio")),
        "codex": Target(
            "codex app-server (native)",
            (paths.get("codex", ""), "app-server"),
            models=("model/list", {}),
            dialect="codex",
        ),
        "opencode": Target("opencode acp", (paths.get("opencode", ""), "acp"), dialect="acp"),
        "kilo": Target("kilo acp", (paths.get("kilo", ""), "acp"), dialect="acp"),
        "acp": Target("ACP Python SDK", (paths.get("acp", ""), str(SERVERS / "hello_acp.py")), dialect="acp"),
    }
    found = [
        Target(peer.name, peer.command, peer.list_method, peer.models, None, peer.dialect, SHUT_IN)
        for name, peer in peers.items()
        if name in paths
    ]
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    return [*found, Target("ruff server (native)", (ruff, "server"))] if ruff else found
