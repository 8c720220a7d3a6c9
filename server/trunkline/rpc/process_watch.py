"""Notices that another process has ended, such as the editor that started this one.

LSP 3.17, "InitializeParams.processId": the server should exit when that process is not alive.
"""

import os

_INTERVAL_S = 1.0


async def process_has_ended(process_id: int) -> None:
    """Return when there is no such process any more."""
    import asyncio

    descriptor = watch_descriptor(process_id)
    if descriptor is not None:
        await _readable(descriptor)
        return
    while is_alive(process_id):  # noqa: ASYNC110 - there is no event for a foreign process elsewhere
        await asyncio.sleep(_INTERVAL_S)


def watch_descriptor(process_id: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where there is none to be had."""
    try:
        return os.pidfd_open(process_id) if hasattr(os, "pidfd_open") else None
    except (OSError, OverflowError):
        return None  # the process has ended, the kernel is old, or a sandbox forbids it


async def _readable(descriptor: int) -> None:
    """Linux makes a process's descriptor readable when the process ends."""
    import asyncio

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def is_alive(process_id: int) -> bool:
    """Whether there is such a process that has not ended."""
    if os.name == "nt":
        return _is_alive_on_windows(process_id)
    if process_id <= 0:
        return False
    descriptor = watch_descriptor(process_id)
    if descriptor is not None:
        from select import select

        try:
            return not select([descriptor], [], [], 0)[0]  # a zombie has ended, though it can be signalled
        finally:
            os.close(descriptor)
    try:
        os.kill(process_id, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _is_alive_on_windows(process_id: int) -> bool:
    """os.kill would end the process there; ask for its exit code instead."""
    import ctypes

    synchronize, still_waiting = 0x00100000, 0x00000102
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - exists on Windows only
    handle = kernel.OpenProcess(synchronize, 0, process_id)
    if not handle:
        return False
    try:
        return kernel.WaitForSingleObject(handle, 0) == still_waiting
    finally:
        kernel.CloseHandle(handle)
