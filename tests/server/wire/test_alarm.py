"""Time limits of many waits in a row. Limits in the past, or far in the future: no test waits for a clock."""

import asyncio
from contextlib import closing

import pytest

from trunkline.wire.alarm import Alarm

FAR = 1000.0


async def gone_by(moment: float) -> None:
    """Wait until every timer that is due at `moment` has gone off: timers go off in their order."""
    gone = asyncio.Event()
    asyncio.get_running_loop().call_at(moment + 0.001, gone.set)
    await gone.wait()


async def test_a_wait_that_is_too_long_ends_and_the_next_one_does_not() -> None:
    now = asyncio.get_running_loop().time
    done = asyncio.Event()
    with closing(Alarm()) as alarm:
        for _ in range(2):
            with pytest.raises(TimeoutError), alarm.until(now()):
                await done.wait()
        done.set()
        for ends in (now() + FAR, None):
            with alarm.until(ends):
                await done.wait()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0


async def test_a_timer_of_an_earlier_wait_ends_no_later_one() -> None:
    now = asyncio.get_running_loop().time
    with closing(Alarm()) as alarm:
        with alarm.until(earlier := now()):
            pass
        with alarm.until(now() + FAR):
            await gone_by(earlier)
        with alarm.until(None):
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError), alarm.until(now()):
            await asyncio.Event().wait()


async def test_a_timer_of_an_earlier_wait_is_set_again_for_a_later_one() -> None:
    now = asyncio.get_running_loop().time
    with closing(Alarm()) as alarm:
        with alarm.until(now()):
            pass
        with pytest.raises(TimeoutError), alarm.until(now() + 0.01):
            await asyncio.Event().wait()


async def test_nobody_is_disturbed_between_waits(caplog: pytest.LogCaptureFixture) -> None:
    now = asyncio.get_running_loop().time
    with closing(Alarm()) as alarm:
        with alarm.until(earlier := now()):
            pass
        await gone_by(earlier)
        with pytest.raises(TimeoutError), alarm.until(now()):
            await asyncio.Event().wait()
    assert caplog.records == [], "what fails in a timer is only in the log"


async def test_who_is_cancelled_while_waiting_is_cancelled() -> None:
    waiting = asyncio.Event()

    async def wait() -> None:
        with closing(Alarm()) as alarm, alarm.until(asyncio.get_running_loop().time() + FAR):
            waiting.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_inside_is_not_hidden() -> None:
    with closing(Alarm()) as alarm, pytest.raises(KeyError), alarm.until(None):
        raise KeyError
