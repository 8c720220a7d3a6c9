"""Sockets in the file system: who gets in, and where one may be."""

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from support.remote import PATIENCE_S, MakeListeners, header, read_token, unix_wire
from support.wire import notification, request
from trunkline.errors import TrunklineError
from trunkline.remote.addresses import UnixAddress
from trunkline.remote.listeners import Listeners
from trunkline.remote.tokens import TokenStore
from trunkline.rpc.framing import encode_frame
from trunkline_protocol.errors import ErrorCode

INITIALIZE = encode_frame(b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}}')


async def test_a_client_with_a_token_may_say_initialize_in_the_same_breath(
    listeners: Listeners, tokens: TokenStore, sockets: Path
) -> None:
    path = sockets / "t.sock"
    assert await listeners.open(UnixAddress(path)) == f"unix:{path}"
    token = read_token(tokens.create("observe").file)
    async with unix_wire(path, header(token) + INITIALIZE) as wire:
        assert (await wire.receive())["result"]["serverInfo"]["name"] == "trunkline"
        wire.send(request("provider/list", 1))
        assert (await wire.receive())["result"]["providers"]
        wire.send(request("shutdown", 2), notification("exit"))
        assert (await wire.receive())["id"] == 2
        assert await wire.receive() is None


@pytest.mark.parametrize(
    "first",
    [
        b"Authorization: Bearer wrong\r\n\r\n",
        b"Authorization: Basic TOKEN\r\n\r\n",
        b"Authorization: TOKEN\r\n\r\n",
        b"Authorization:\r\n\r\n",
        b"X-Authorization: Bearer TOKEN\r\n\r\n",
        b"Content-Length: 3\r\nAuthorization: Bearer TOKEN\r\n\r\n",
        b"\r\n\r\n",
        INITIALIZE,
        b"GET / HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n\r\n",
    ],
    ids=["wrong", "scheme", "no scheme", "empty", "other header", "two headers", "nothing", "LSP", "HTTP"],
)
async def test_without_a_valid_token_there_is_one_error_and_the_end(
    listeners: Listeners, tokens: TokenStore, sockets: Path, first: bytes
) -> None:
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    token = read_token(tokens.create("admin").file)
    async with unix_wire(path, first.replace(b"TOKEN", token.encode()) + INITIALIZE) as wire:
        answer = await wire.receive()
        assert (answer["id"], answer["error"]["code"]) == (None, ErrorCode.ATTACH_UNAUTHORIZED)
        assert "trunkline token create" in answer["error"]["data"]["hint"]
        assert await wire.receive() is None


@pytest.mark.parametrize("end", ["revoke", "rotate"])
async def test_a_live_connection_dies_with_its_token(
    listeners: Listeners, tokens: TokenStore, sockets: Path, end: str
) -> None:
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    issued, other = tokens.create("control"), tokens.create("control")
    old = read_token(issued.file)
    async with (
        unix_wire(path, header(old)) as wire,
        unix_wire(path, header(read_token(other.file))) as bystander,
    ):
        await wire.handshake()
        await bystander.handshake()
        getattr(tokens, end)(issued.token.token_id)
        answer = await wire.receive()
        assert (answer["id"], answer["error"]["code"]) == (None, ErrorCode.ATTACH_UNAUTHORIZED)
        assert await wire.receive() is None
        bystander.send(request("provider/list", 1))
        assert "result" in await bystander.receive()


async def test_a_message_behind_a_revocation_is_not_handled(
    listeners: Listeners, tokens: TokenStore, sockets: Path
) -> None:
    path = sockets / "t.sock"
    await listeners.open(UnixAddress(path))
    issued = tokens.create("admin")
    async with unix_wire(path, header(read_token(issued.file))) as wire:
        await wire.handshake()
        tokens.revoke(issued.token.token_id)
        wire.send(request("auth/list", 1))
        assert (await wire.receive())["error"]["code"] == ErrorCode.ATTACH_UNAUTHORIZED
        assert await wire.receive() is None


@pytest.mark.parametrize(
    "first", [b"Authorization: Bear", b"Authorization: " + b"x" * 10_000], ids=["slow", "large"]
)
async def test_a_header_that_never_ends_is_cut_off(
    make_listeners: MakeListeners, sockets: Path, first: bytes
) -> None:
    path = sockets / "t.sock"
    await make_listeners(head_s=0.2, head_bytes=4096).open(UnixAddress(path))
    async with unix_wire(path, first) as wire:
        assert await wire.receive() is None


async def test_connections_are_bounded(
    make_listeners: MakeListeners, tokens: TokenStore, sockets: Path
) -> None:
    path = sockets / "t.sock"
    await make_listeners(connections=1).open(UnixAddress(path))
    token = header(read_token(tokens.create().file))
    async with unix_wire(path, token) as wire:
        await wire.handshake()
        async with unix_wire(path, token) as refused:
            assert (await refused.receive())["error"]["code"] == ErrorCode.OVERLOADED


async def test_a_client_that_says_nothing_for_too_long_is_closed(
    make_listeners: MakeListeners, tokens: TokenStore, sockets: Path
) -> None:
    path = sockets / "t.sock"
    await make_listeners(idle_s=0.1).open(UnixAddress(path))
    async with unix_wire(path, header(read_token(tokens.create().file))) as wire:
        last = await wire.handshake()
        while (message := await wire.receive()) is not None:
            last = message
        assert last["error"]["code"] == ErrorCode.HEARTBEAT_LOST


async def still_open(connected: socket.socket) -> bool:
    try:
        await asyncio.get_running_loop().sock_sendall(connected, b"\r\n")
    except OSError:
        return False
    return True


async def test_a_client_that_takes_nothing_any_more_is_closed_and_nobody_else_notices(
    make_listeners: MakeListeners, tokens: TokenStore, sockets: Path
) -> None:
    path = sockets / "t.sock"
    await make_listeners(stall_s=0.2).open(UnixAddress(path))
    token = header(read_token(tokens.create().file))
    stuck = socket.socket(socket.AF_UNIX)
    stuck.setblocking(False)  # noqa: FBT003 - not ours
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stuck, str(path))
    try:
        asked = b"".join(
            encode_frame(
                b'{"jsonrpc":"2.0","id":%d,"method":"provider/list","params":{"includeDisabled":true}}' % n
            )
            for n in range(1, 25)
        )
        await loop.sock_sendall(stuck, token + INITIALIZE + asked)
        async with unix_wire(path, token) as wire:
            await wire.handshake()
            wire.send(request("provider/list", 1))
            assert "result" in await wire.receive()
        async with asyncio.timeout(PATIENCE_S):
            # Its end is seen by writing: what it did not read is still there to be read.
            while await still_open(stuck):  # noqa: ASYNC110 - writing is the only way to see it
                await asyncio.sleep(0.01)
    finally:
        stuck.close()


async def test_the_socket_is_private_and_goes_at_the_end(
    make_listeners: MakeListeners, sockets: Path
) -> None:
    path = sockets / "new" / "t.sock"
    listeners = make_listeners()
    await listeners.open(UnixAddress(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await listeners.close()
    assert list(path.parent.iterdir()) == []


def link_to_a_file(path: Path) -> None:
    target = path.with_name("target")
    target.write_text("precious")
    path.symlink_to(target)


def link_to_a_socket(path: Path) -> None:
    target = path.with_name("other.sock")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(target))
    path.symlink_to(target)


def write_file(path: Path) -> None:
    path.write_text("precious")


def open_directory(path: Path) -> None:
    path.parent.chmod(0o755)


def linked_directory(path: Path) -> None:
    moved = path.parent.with_name("moved")
    path.parent.rename(moved)
    path.parent.symlink_to(moved)


def everything_in(directory: Path) -> list[tuple[Path, int, int]]:
    """Paths, inodes and modes; locks have no content and mean nothing."""
    paths = [path for path in sorted(directory.rglob("*")) if path.suffix != ".lock"]
    return [(path, path.lstat().st_ino, path.lstat().st_mode) for path in paths]


@pytest.mark.parametrize(
    "prepare", [link_to_a_file, link_to_a_socket, write_file, Path.mkdir, open_directory, linked_directory]
)
async def test_a_place_that_is_not_safe_is_refused_and_left_alone(
    listeners: Listeners, sockets: Path, prepare: Callable[[Path], object]
) -> None:
    path = sockets / "d" / "t.sock"
    path.parent.mkdir(mode=0o700)
    prepare(path)
    before = everything_in(sockets)
    with pytest.raises(TrunklineError, match="is refused") as caught:
        await listeners.open(UnixAddress(path))
    assert caught.value.fields.get("hint")
    assert everything_in(sockets) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
async def test_a_directory_of_another_user_is_refused(listeners: Listeners, sockets: Path) -> None:
    (sockets / "d").mkdir(mode=0o700)
    os.chown(sockets / "d", 12345, 12345)
    with pytest.raises(TrunklineError, match="is refused"):
        await listeners.open(UnixAddress(sockets / "d" / "t.sock"))


async def test_a_socket_that_was_left_behind_is_replaced_and_a_live_one_is_not(
    listeners: Listeners, make_listeners: MakeListeners, tokens: TokenStore, sockets: Path
) -> None:
    path = sockets / "t.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    await listeners.open(UnixAddress(path))
    with pytest.raises(TrunklineError, match="another process listens there"):
        await make_listeners().open(UnixAddress(path))
    async with unix_wire(path, header(read_token(tokens.create().file))) as wire:
        await wire.handshake()
