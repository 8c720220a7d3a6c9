"""Which providers can be signed in to, and how. Data only: listings read it."""

from collections.abc import Mapping

from trunkline_protocol.providers import SignInMethod

_METHODS: Mapping[str, tuple[SignInMethod, ...]] = {
    "openrouter": ("browser", "device"),
    "kilo": ("device",),
    "github-copilot": ("device",),
}


def methods_of(provider_id: str) -> tuple[SignInMethod, ...]:
    """The ways to sign in to a provider, the most convenient first; none for most."""
    return _METHODS.get(provider_id, ())
