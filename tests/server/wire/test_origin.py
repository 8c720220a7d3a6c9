import pytest

from trunkline.wire.origin import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://go.fastrouter.ai/api/v1", "https://go.fastrouter.ai"),
        ("https://go.fastrouter.ai:443/api/v1/", "https://go.fastrouter.ai"),
        ("HTTPS://Go.FastRouter.AI/api", "https://go.fastrouter.ai"),
        ("https://gw.example:8443", "https://gw.example:8443"),
        ("https://gw.example:/v1", "https://gw.example"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("https://user@gw.example", "https://gw.example"),
    ],
)
def test_one_origin_has_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin
    assert origin_of(origin) == origin


@pytest.mark.parametrize(
    "url", ["", "gw.example", "/v1", "https://", "https://gw.example:port", "mailto:a@b"]
)
def test_what_has_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"absolute|[Pp]ort"):
        origin_of(url)
