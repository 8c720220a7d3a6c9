"""What keeps the log from growing for ever: old deltas, and sessions that nobody has used for long."""

import logging
from typing import TYPE_CHECKING

from trunkline.errors import TrunklineError
from trunkline.sessions.attaching import REPLAY_EVENTS
from trunkline.sessions.clock import days_ago

if TYPE_CHECKING:
    from trunkline.sessions.hub import SessionsChanged
    from trunkline.sessions.live_session import LiveSession
    from trunkline.sessions.log import SessionLog

logger = logging.getLogger(__name__)


async def forget_old_deltas(log: "SessionLog", session: "LiveSession") -> None:
    """Forget deltas that nobody is sent any more; only now and then, because it costs a walk through them."""
    stored = session.stored
    if stored.head_seq - stored.oldest_seq < 2 * REPLAY_EVENTS:
        return
    before = stored.head_seq - REPLAY_EVENTS
    try:
        await session.stream.flush()
        await log.forget_deltas(session.stream.lease, before)
    except TrunklineError as error:
        logger.warning("old deltas of session %s are still there: %s", stored.session_id, error.message)
    else:
        session.amend(oldest_seq=before)


async def delete_unused(log: "SessionLog", days: int, changed: "SessionsChanged") -> None:
    """Delete the sessions that nobody has used for so many days."""
    try:
        deleted = await log.delete_unused(days_ago(days))
    except TrunklineError as error:
        logger.warning("old sessions were not deleted: %s", error.message)
        return
    for session_id in deleted:
        changed(session_id, deleted=True)
