import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.user import CANARY, User

DEMO = [sys.executable, "-m", "trunkline", "demo"]


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The directory that temporary files go to; empty when everybody has tidied up."""
    path = tmp_path / "temporary"
    path.mkdir()
    return path


@pytest.fixture
def env(user: User, temporary: Path) -> dict[str, str]:
    """A user with a key, a proxy and a configuration that would all spoil the demo if it took notice."""
    user.configure({"disabled_providers": ["fastrouter"]})
    return {
        **user.env,
        "TMPDIR": str(temporary),
        "TEMP": str(temporary),
        "COLUMNS": "80",
        "PYTHONIOENCODING": "utf-8",
        "FASTROUTER_API_KEY": CANARY,
        "OPENAI_API_KEY": CANARY,
        "HTTP_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }


def run(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(DEMO, env=env, capture_output=True, text=True, encoding="utf-8", check=False)


def steps(screen: str) -> list[str]:
    """What stands under each step, and before the first; runs of spaces and line breaks become one space."""
    return [" ".join(part.split()) for part in re.split(r"^\d  ", screen, flags=re.MULTILINE)]


def test_the_whole_demo(env: dict[str, str], user: User, temporary: Path) -> None:
    before = sorted(user.home.rglob("*"))
    done = run(env)
    assert (done.returncode, done.stderr) == (0, "")
    start, hello, providers, refused, key, models, chat, tools, end = steps(done.stdout)

    assert start.startswith("SIMULATED provider on loopback: nothing leaves this machine")
    assert re.search(
        r"server trunkline \d+\.\d+\.\d+ protocol 1\.0: .*chat/stream.* time [\d,]+ ms from", hello
    )
    assert "FastRouter notConnected" in providers
    assert "FASTROUTER_API_KEY" in providers
    assert providers.endswith("provider saw nothing")
    assert "1101 authMissing" in refused
    assert "trunkline auth login fastrouter" in refused
    assert refused.endswith("provider saw nothing")
    assert re.search(r"key …[0-9a-f]{4}, fingerprint \w+, source store", key)
    assert "bound to http://127.0.0.1:" in key
    assert "auth.json" in key
    if os.name != "nt":
        assert key.endswith("mode 0600")
    assert "anthropic/claude-sonnet-4 200,000 $2 $10 tools reasoning" in models
    assert "hidden 2 of 12" in models
    assert "flux" not in models
    assert models.endswith("provider saw GET /api/v1/models with no key")
    assert "model Hello! You asked me something in 11 words" in chat
    assert re.search(r"spent 13 tokens in, \d+ out · \$0\.\d+ · first token after \d+ ms", chat)
    assert chat.endswith("saw POST /api/v1/chat/completions with the key, 1 message")
    assert 'asks ← read_file {"path": "notes.md"}' in tools
    assert "gets → notes.md: 8 lines" in tools
    assert 'Its first heading is "Where light comes from", and it has 8 lines.' in tools
    assert "3 messages, its reasoning unchanged" in tools
    first, second, both = (float(amount) for amount in re.findall(r"(?:leg|legs) .*?\$(0\.\d+)", tools))
    assert first + second == pytest.approx(both)
    assert "exit code 0" in end
    assert "trunkline chat -m fastrouter/" in end

    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert CANARY not in done.stdout
    assert sorted(user.home.rglob("*")) == before
    assert list(temporary.iterdir()) == []


def test_a_server_that_does_not_start_is_a_clear_failure(
    env: dict[str, str], tmp_path: Path, temporary: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sys\nif '--stdio' in sys.orig_argv:\n    sys.exit('planted failure')\n", encoding="utf-8"
    )
    done = run({**env, "PYTHONPATH": str(broken)})
    assert done.returncode == 1
    assert "The demo failed: The server went away" in done.stderr
    assert "planted failure" in done.stderr
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send to a process")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_demo_that_is_stopped_leaves_nothing(
    env: dict[str, str], temporary: Path, sent: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        DEMO, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as demo:
        assert demo.stdout is not None
        while "model     Hello!" not in demo.stdout.readline():
            assert demo.poll() is None
        assert list(temporary.iterdir()) != []
        demo.send_signal(sent)
        _, errors = demo.communicate()
    assert (demo.returncode, errors) == (code, "")
    assert list(temporary.iterdir()) == []
