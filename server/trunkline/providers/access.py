"""How a provider is spoken to: the headers of a request to it, with the key where it belongs."""

from trunkline.auth.credentials import Credential
from trunkline.catalog.live import Access
from trunkline.providers.registry import Provider
from trunkline.wire.formats import adapter
from trunkline.wire.http import merge_headers
from trunkline.wire.key_header import key_header
from trunkline.wire.origin import origin_of
from trunkline_protocol.providers import ApiType


def headers_for(
    provider: Provider, credential: Credential | None, url: str, api_type: ApiType
) -> dict[str, str]:
    """Everything a request of that format to `url` carries, the key included.

    A header that the user configured stands, also where a key would go.

    Raises:
        TrunklineError: PROVIDER_MISCONFIGURED, when the key is bound to another origin.
    """
    wire = adapter(api_type)
    key = credential.authorization(origin_of(url)).reveal() if credential else provider.spec.anonymous_key
    keyed = key_header(provider.spec.key_header or wire.key_header, key) if key is not None else {}
    return merge_headers(wire.headers, keyed, provider.headers_for(url))


def list_access(provider: Provider, credential: Credential | None) -> Access:
    """What a model list is fetched with."""

    def headers(url: str, *, anonymous: bool = False) -> dict[str, str]:
        return headers_for(provider, None if anonymous else credential, url, provider.spec.api_type)

    return Access(headers)
