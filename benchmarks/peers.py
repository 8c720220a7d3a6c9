"""Programs of others to compare with: installed beside the tree, kept from the network, or left out.

Each has a folder of its own in `.peers`, so that one that cannot be installed takes no other with it.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
FOLDER = HERE / ".peers"
INSTALL_S = 300
CLOSED = "http://127.0.0.1:9"
"""A port on which nobody listens: what would leave the machine ends there."""
SHUT_IN = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), CLOSED),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
    **dict.fromkeys(("OPENCODE_DISABLE_MODELS_FETCH", "KILO_DISABLE_MODELS_FETCH"), "1"),
    **dict.fromkeys(("OPENCODE_DISABLE_AUTOUPDATE", "KILO_DISABLE_AUTOUPDATE"), "1"),
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
"""Variables of the environment in which peers run."""


@dataclass(frozen=True)
class Peer:
    """One program or library: what to install, and how to see that it is there."""

    name: str
    registry: Literal["npm", "PyPI"]
    packages: tuple[str, ...]
    """The first is the one whose version is told."""
    program: str
    """Its file, as a pattern below the peer's folder."""

    @property
    def path(self) -> Path | None:
        """The program, if it is installed."""
        return next(iter(sorted((FOLDER / self.name).glob(self.program))), None)

    @property
    def version(self) -> str:
        """As its package says."""
        package = self.packages[0]
        folder = FOLDER / self.name
        if self.registry == "npm":
            described = folder / "node_modules" / package / "package.json"
            return json.loads(described.read_text(encoding="utf-8"))["version"]
        found = next(folder.glob(f"lib/python*/site-packages/{package.replace('-', '_')}-*.dist-info"))
        return found.name.split("-")[1].removesuffix(".dist")

    def install(self) -> None:
        """Raises `subprocess.SubprocessError` or `OSError` where that is not possible."""
        folder = FOLDER / self.name
        folder.mkdir(parents=True, exist_ok=True)
        if self.registry == "npm":
            (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
            words = ("npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", *self.packages)
            _run(words, folder)
            return
        _run((sys.executable, "-m", "venv", str(folder)), folder)
        python = str(folder / "bin" / "python")
        _run((python, "-m", "pip", "install", "--quiet", *self.packages), folder)


PEERS = (
    Peer("opencode", "npm", ("opencode-ai",), "node_modules/opencode-linux-x64/bin/opencode"),
    # The package of the platform: the one around it cannot always be installed.
    Peer("kilo", "npm", ("@kilocode/cli-linux-x64",), "node_modules/@kilocode/cli-linux-x64/bin/kilo"),
    Peer("codex", "npm", ("@openai/codex",), "node_modules/@openai/codex-linux-x64/vendor/*/bin/codex"),
    Peer(
        "copilot",
        "npm",
        ("@github/copilot-language-server",),
        "node_modules/@github/copilot-language-server-linux-x64/copilot-language-server",
    ),
    Peer(
        "vscode-languageserver",
        "npm",
        ("vscode-languageserver",),
        "node_modules/vscode-languageserver/lib/node/main.js",
    ),
    Peer("jedi", "PyPI", ("jedi-language-server",), "bin/jedi-language-server"),
    Peer("llm", "PyPI", ("llm",), "bin/llm"),
    Peer("openai", "PyPI", ("openai", "pygls"), "bin/python"),
    Peer("litellm", "PyPI", ("litellm", "pygls"), "bin/python"),
    Peer("acp", "PyPI", ("agent-client-protocol",), "bin/python"),
)


@dataclass
class Installed:
    """The peers that are here, and why the others are not."""

    paths: dict[str, str]
    versions: dict[str, str]
    skipped: dict[str, str]


def installed() -> Installed:
    """Install what is missing."""
    result = Installed({}, {}, {})
    for peer in PEERS:
        try:
            if not _is_complete(peer):
                print(f"Installing {peer.packages[0]} ({peer.registry}) ...", file=sys.stderr, flush=True)
                peer.install()
            result.versions[peer.name] = peer.version
        except (subprocess.SubprocessError, OSError, StopIteration) as error:
            result.skipped[peer.name] = f"cannot be installed here: {_reason(error)}"
            continue
        if peer.path is None:
            result.skipped[peer.name] = "its package has no program for this platform"
        else:
            result.paths[peer.name] = str(peer.path)
    return result


def _is_complete(peer: Peer) -> bool:
    if peer.path is None:
        return False
    try:
        return bool(peer.version)
    except (OSError, StopIteration):
        return False


def _run(words: tuple[str, ...], folder: Path) -> None:
    subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_S)


def _reason(error: Exception) -> str:
    """One line, without paths and addresses."""
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in error.stderr.splitlines() if "rror" in line and "://" not in line]
        said = next((line.strip() for line in lines if "log of this run" not in line), "")
        return f"{Path(error.cmd[0]).name} ended with {error.returncode}. {said}".strip()
    return type(error).__name__
