"""Signing in without copying a key.

methods         which providers can be signed in to, and how
sign_ins        the sign-ins under way: begin one, find it, end them all
sign_in         one of them: what to show, the code to enter, how it ends
flow            what a flow is given and what it gives when it has begun
openrouter      PKCE (RFC 7636) with a callback, or with a code that the page shows
kilo            Kilo's device flow
github          the device flow of RFC 8628, for GitHub Copilot
callback        the page on 127.0.0.1 that a browser is sent back to
pkce, polling, addresses, failures    what several flows need

Every flow asks only servers that it derives from the provider's base URL or from the user's own options, and
none pretends to be another program: where a provider wants a registered client, the user names theirs.
"""

from trunkline.auth.login.methods import methods_of
from trunkline.auth.login.sign_ins import SignIns

__all__ = ["SignIns", "methods_of"]
