"""One sign-in under way."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import final

from trunkline.auth.login.failures import cancelled, failed
from trunkline.auth.login.flow import Begun
from trunkline.auth.tokens import Token
from trunkline.errors import TrunklineError
from trunkline.secrets import Secret, usable_key
from trunkline_protocol.errors import ErrorCode

_LONGEST_CODE = 4096


@final
class SignIn:
    """Goes on by itself until the user is done, or the time is over, or it is cancelled."""

    def __init__(self, provider_id: str, begun: Begun, on_end: Callable[["SignIn"], None]) -> None:
        self.provider_id = provider_id
        self.login_id = secrets.token_hex(8)
        self._begun = begun
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _task: on_end(self))
        self._task.add_done_callback(lambda _task: begun.close())

    @property
    def url(self) -> str:
        """The page that the user opens."""
        return self._begun.url

    @property
    def user_code(self) -> str | None:
        """What the user enters on that page, or compares with it."""
        return self._begun.user_code

    @property
    def needs_code(self) -> bool:
        """Whether the page shows a code that `submit` waits for."""
        return self._begun.entry is not None

    @property
    def expires_at(self) -> datetime:
        """When it is too late; aware."""
        return self._begun.expires_at

    async def wait(self) -> Token:
        """How it ends. May be called by several, also after the end; cancelling it leaves the sign-in alone.

        Raises:
            TrunklineError: LOGIN_FAILED (1105), LOGIN_CANCELLED (1106) or LOGIN_TIMEOUT (1107).
        """
        await asyncio.wait((self._task,))
        if self._task.cancelled():
            raise cancelled(self.provider_id)
        outcome = self._task.result()
        if isinstance(outcome, TrunklineError):
            raise outcome
        return outcome

    def submit(self, code: Secret) -> None:
        """Give the code that the page shows. Whether it is right, `wait` tells.

        Raises:
            TrunklineError: LOGIN_FAILED when there is no waiting for one (any more), INVALID_PARAMS when it
                cannot be a code; the sign-in goes on as before.
        """
        entry = self._begun.entry
        if entry is None:
            raise failed(
                self.provider_id,
                f"The sign-in to {self.provider_id} asks for no code; it ends by itself.",
                hint="Finish it on the page that was opened.",
            )
        if self._task.done() or entry.done():
            raise failed(self.provider_id, f"The sign-in to {self.provider_id} has its code already.")
        usable = usable_key(code.reveal())
        if usable is None or len(usable.reveal()) > _LONGEST_CODE:
            raise TrunklineError(
                ErrorCode.INVALID_PARAMS,
                "The field `code` is empty, or has characters that no code has.",
                provider_id=self.provider_id,
                hint="Copy the code again and paste it alone, on one line.",
            )
        entry.set_result(usable)

    async def cancel(self) -> None:
        """End it now. When this returns, nothing of it is open; ending what has ended changes nothing."""
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _run(self) -> Token | TrunklineError:
        # As a value: an error that nobody waits for is no fault of the program.
        try:
            return await self._begun.finish()
        except TrunklineError as error:
            return error
