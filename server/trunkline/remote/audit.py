"""One line of the log for whatever a client from elsewhere does that an owner may want to know afterwards.

Who and what, never content. The lines have a logger of their own: they tell of no mistakes.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trunkline.rpc.principal import Principal

logger = logging.getLogger("trunkline.audit")


def audit(event: str, principal: "Principal | None", what: str, peer: str | None = None) -> None:
    """Write a line: `event` is one word, `what` names a method, a session or a reason."""
    who = "nobody known" if principal is None else f"{principal.scope} {principal.token_id or principal.name}"
    logger.info("%s: %s by %s%s", event, _line(what), who, f" from {peer}" if peer else "")


def _line(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text[:200])
