"""The loop between an editor's two files and a server: moves messages, and connects again after a break.

Nothing is read from one side while the other side leaves too much untaken, so that the relay does not grow.
The one thing that waits is a connection in the making, and that has a thread of its own; the first one to a
socket on this machine, which an editor waits for, is made at once.
"""

import os
import select
import sys
import time

from trunkline.remote.attach.conversation import Conversation
from trunkline.remote.attach.destination import unauthorized
from trunkline.remote.attach.link import CHUNK, LinkLostError, connect
from trunkline.remote.attach.messages import AttachError, refusal
from trunkline.rpc.framing import FrameDecoder, FramingError, encode_frame
from trunkline.rpc.process_watch import is_alive, watch_descriptor

TYPE_CHECKING = False  # the module `typing` is not worth its import here
if TYPE_CHECKING:
    from trunkline.remote.attach.destination import Destination
    from trunkline.remote.attach.link import Link

MOST_UNTAKEN = 1024 * 1024
"""Bytes that one side may leave untaken before nothing is read from the other; one message may exceed it."""

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
_GREETING_S = 30.0
"""How long a server may take to answer `initialize` on a later connection."""
_QUIET_OUTAGE_S = 2.0
"""How long there may be no connection before the person is told."""
_WAITING_S = 30.0
"""How long there may be no connection before requests do not wait for it any more."""
_FAREWELL_S = 1.0
"""How long the last bytes may take."""
_TICK_S = 1.0


class Relay:
    """One editor, for as long as it is there."""

    def __init__(self, destination: "Destination", stdin: int = 0, stdout: int = 1) -> None:
        """`stdin` and `stdout` are the editor's descriptors."""
        self._destination = destination
        self._stdin = stdin
        self._stdout = stdout
        self._decoder = FrameDecoder()
        self._out = bytearray()
        self._link: Link | None = None
        self._linked_at = 0.0
        self._conversation = Conversation(self._to_editor, self._to_server)
        self._poll = select.poll()
        self._is_over = False
        self._fatal: AttachError | None = None
        self._delay_s = _FIRST_DELAY_S
        self._dial_at: float | None = None
        self._dialled: list[Link | AttachError] = []
        self._wake: tuple[int, int] | None = None
        """A pipe by which the thread that connects says that it is done."""
        self._lost_at: float | None = None
        """Since when there has been no connection that could be used."""
        self._why: AttachError | None = None
        """What the last attempt to connect said."""
        self._has_told = False
        self._editor: int | None = None
        """The editor's process, once it has said which."""
        self._watched: int | None = None
        """A descriptor that tells when it ends, where the system has such."""

    def run(self) -> int:
        """Relay until the editor goes; LSP's exit code."""
        modes = [(file, os.get_blocking(file)) for file in (self._stdin, self._stdout)]
        try:
            for file, _ in modes:
                os.set_blocking(file, False)
            self._dial_first()
            while not self._is_over:
                self._step()
            self._say_farewell()
        finally:
            for file, mode in modes:  # a terminal is shared with the shell that started this
                os.set_blocking(file, mode)
            if self._link is not None:
                self._link.close()
            for file in (*(self._wake or ()), self._watched):
                if file is not None:
                    os.close(file)
        return 0 if self._conversation.has_shut_down and self._fatal is None else 1

    # --- one turn of the loop --------------------------------------------------------------------------

    def _step(self) -> None:
        for file, events in self._ready():
            if self._is_over:
                return
            if file == self._stdin:
                self._read_editor(events)
            elif file == self._stdout:
                # Without room asked for, an event can only mean that nobody reads any more.
                self._is_over = bool(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL))
            elif self._link is not None and file == self._link.fileno():
                self._read_server()
            elif self._wake is not None and file == self._wake[0]:
                self._take_dialled()
            elif file == self._watched:
                self._is_over = True  # the editor's process has ended
        self._flush()
        self._watch_time(time.monotonic())

    def _ready(self) -> list[tuple[int, int]]:
        poll, link = self._poll, self._link
        may_ask = len(self._out) < MOST_UNTAKEN and (link is None or link.unsent < MOST_UNTAKEN)
        poll.register(self._stdin, select.POLLIN if may_ask else 0)
        poll.register(self._stdout, select.POLLOUT if self._out else 0)
        if link is not None:
            wanted = select.POLLIN if len(self._out) < MOST_UNTAKEN else 0
            poll.register(link, wanted | (select.POLLOUT if link.unsent else 0))
        try:
            return poll.poll(self._patience_ms())
        finally:
            if link is not None:
                poll.unregister(link)

    def _patience_ms(self) -> float | None:
        """How long nothing may happen before something is to be done all the same."""
        if self._dial_at is not None:
            return max(self._dial_at - time.monotonic(), 0) * 1000
        is_asked_for = self._editor is not None and self._watched is None
        if (
            self._lost_at is None
            and self._link is not None
            and not self._link.IS_CHECKED
            and not is_asked_for
        ):
            return None
        return _TICK_S * 1000

    def _read_editor(self, events: int) -> None:
        if not events & select.POLLIN:
            self._is_over = True  # hung up while nothing was to be read
            return
        try:
            data = os.read(self._stdin, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._is_over = True
            return
        conversation = self._conversation
        for item in self._decoder.feed(data):
            if isinstance(item, FramingError):
                self._to_editor(refusal(None, AttachError(item.code, item.message, "")))
                self._is_over = item.fatal
                continue
            conversation.editor_says(item)
            if self._fatal is not None and conversation.fail(self._fatal):
                self._is_over = True
            if conversation.has_exited:
                self._is_over = True
                return
        self._watch_editor()

    def _read_server(self) -> None:
        link = self._link
        if link is None:
            return
        try:
            for body in link.receive():
                self._conversation.server_says(body)
        except LinkLostError:
            self._lose(link)
            return
        if self._conversation.refusal is not None:
            self._lose(link)
        elif self._conversation.is_established:
            self._be_back()

    def _flush(self) -> None:
        link = self._link
        if link is not None:
            try:
                link.flush()
            except LinkLostError:
                # What the server said before it went comes first: perhaps why.
                self._drain(link)
                self._lose(link)
        try:
            while self._out:
                written = os.write(self._stdout, self._out[:CHUNK])
                del self._out[:written]
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()  # nobody reads it any more
            self._is_over = True

    def _drain(self, link: "Link") -> None:
        try:
            while bodies := link.receive():
                for body in bodies:
                    self._conversation.server_says(body)
        except LinkLostError:
            return

    # --- connecting ------------------------------------------------------------------------------------

    def _dial_first(self) -> None:
        try:
            place = self._destination.find()
            if place.socket_path is None:
                self._dial()
            else:
                self._take_link(connect(place))
        except AttachError as error:
            self._fail(error)

    def _dial(self) -> None:
        """Connect in a thread of its own; `_take_dialled` has what comes of it."""
        import threading

        if self._wake is None:
            self._wake = os.pipe()
            self._poll.register(self._wake[0], select.POLLIN)
        self._dial_at = None
        woken = self._wake[1]

        def connect_and_wake() -> None:
            try:
                self._dialled.append(connect(self._destination.find()))
            except AttachError as error:
                self._dialled.append(error)
            os.write(woken, b".")

        threading.Thread(target=connect_and_wake, name="connect", daemon=True).start()

    def _take_dialled(self) -> None:
        if self._wake is not None:
            os.read(self._wake[0], 1)
        result = self._dialled.pop()
        if isinstance(result, AttachError):
            self._fail(result)
        elif self._conversation.has_shut_down:
            result.close()
        else:
            self._take_link(result)

    def _take_link(self, link: "Link") -> None:
        self._link = link
        self._linked_at = time.monotonic()
        self._conversation.connected()

    def _lose(self, link: "Link") -> None:
        link.close()
        refused = self._conversation.refusal
        self._link = None
        self._conversation.disconnected()
        if self._lost_at is None and self._conversation.is_greeted:
            self._lost_at = time.monotonic()
        if not self._conversation.has_shut_down:
            self._fail(unauthorized(link.url) if refused else None)

    def _fail(self, error: AttachError | None) -> None:
        """There is no connection: try again soon, or not at all where there never was one."""
        if error is not None and not self._conversation.is_greeted:
            self._fatal = error
            sys.stderr.write(f"trunkline: {error.message} {error.hint}\n")
            self._is_over = self._conversation.fail(error) or os.isatty(self._stdin)
            return
        self._why = error
        jitter = 0.75 + os.urandom(1)[0] / 512
        self._dial_at = time.monotonic() + self._delay_s * jitter
        self._delay_s = min(self._delay_s * 2, _LONGEST_DELAY_S)

    def _be_back(self) -> None:
        """The connection can be used."""
        self._delay_s = _FIRST_DELAY_S
        self._lost_at = None
        if self._has_told:
            self._has_told = False
            self._conversation.say("the connection is back.", aloud=False)

    # --- time ------------------------------------------------------------------------------------------

    def _watch_time(self, now: float) -> None:
        if self._dial_at is not None and now >= self._dial_at:
            self._dial()
        if self._link is not None and not self._is_alive(self._link, now):
            self._lose(self._link)
        if self._editor is not None and self._watched is None and not is_alive(self._editor):
            self._is_over = True
        if self._lost_at is None:
            return
        out_s = now - self._lost_at
        if out_s > _QUIET_OUTAGE_S and not self._has_told:
            self._has_told = True
            why = "" if self._why is None else f" {self._why.message}"
            self._conversation.say(f"the connection is lost. Trying again.{why}", aloud=True)
        if out_s > _WAITING_S:
            self._conversation.give_up_waiting()

    def _is_alive(self, link: "Link", now: float) -> bool:
        if self._lost_at is not None and now - self._linked_at > _GREETING_S:
            return False
        try:
            link.check(now, is_read=len(self._out) < MOST_UNTAKEN)
        except LinkLostError:
            return False
        return True

    def _watch_editor(self) -> None:
        """LSP 3.17, "InitializeParams.processId": end when the editor's process does."""
        process_id = self._conversation.client_process
        if process_id is None or self._editor is not None:
            return
        self._editor = process_id
        self._watched = watch_descriptor(process_id)
        if self._watched is not None:
            self._poll.register(self._watched, select.POLLIN)

    def _say_farewell(self) -> None:
        """Write what can be written in a moment: the last answer, or the last request."""
        until = time.monotonic() + _FAREWELL_S
        while (left := until - time.monotonic()) > 0:
            poll = select.poll()
            if self._out:
                poll.register(self._stdout, select.POLLOUT)
            if self._link is not None and self._link.unsent:
                poll.register(self._link, select.POLLOUT)
            elif not self._out:
                return
            poll.poll(left * 1000)
            self._flush()

    # --- the two directions ----------------------------------------------------------------------------

    def _to_editor(self, body: bytes) -> None:
        self._out += encode_frame(body)

    def _to_server(self, body: bytes) -> None:
        if self._link is not None:
            self._link.send(body)
