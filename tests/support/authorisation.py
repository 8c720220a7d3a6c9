"""An authorisation server on loopback: OpenRouter's, Kilo's and GitHub's sign-in, and a token endpoint.

It keeps the rules of the real ones (a challenge is checked against its verifier, a code and a refresh token are
good for one use), so a client that breaks them fails here too. What goes wrong on purpose, tests line up in
`faults`. `Browser` is the user: it opens pages, and goes where they send it.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from support.upstream import Answer, Received, Script, Upstream, answer_json, running_upstream

KEY = "sk-or-v1-key-that-signing-in-gave"
KILO_TOKEN = "kilo.jwt.token-that-signing-in-gave"
GITHUB_TOKEN = "gho_token-that-signing-in-gave"
KILO_CODE = "ABCD-1234"
DEVICE_CODE = "device-code-that-nobody-sees"
CLIENT_ID = "Iv1.client-of-the-user"

ANSWERS_KEY = re.compile(r"^/api/v1/auth/keys$")
ANSWERS_KILO_CODE = re.compile(r"^/api/device-auth/codes$")
ANSWERS_KILO_POLL = re.compile(r"^/api/device-auth/codes/.")
ANSWERS_KILO_PROFILE = re.compile(r"^/api/profile$")
ANSWERS_DEVICE_CODE = re.compile(r"^/login/device/code$")
ANSWERS_TOKEN = re.compile(r"^/login/oauth/access_token$")
ANSWERS_REFRESH = re.compile(r"^/token$")


@dataclass
class Authorisation:
    """The script of the server, and what a user decided on its pages."""

    faults: list[tuple[re.Pattern[str], Answer | Script]] = field(
        default_factory=list[tuple[re.Pattern[str], Answer | Script]]
    )
    """What to answer instead, once each, to the next request for such a path."""
    challenges: dict[str, str] = field(default_factory=dict[str, str])
    """By code that was given out and not used yet."""
    approved: bool = False
    """Whether the user entered the code of a device flow."""
    refresh_tokens: set[str] = field(default_factory=set[str])
    """Those that may still be used."""
    renewed: int = 0
    expires_in: Any = 28800
    rotates: bool = True

    def fail(self, path: re.Pattern[str], *answers: Answer | Script) -> None:
        """Answer this, one after the other, to requests for `path`."""
        self.faults += [(path, answer) for answer in answers]

    def __call__(self, request: Received) -> Answer:
        path = urlsplit(request.path).path
        for number, (pattern, answer) in enumerate(self.faults):
            if pattern.search(path):
                del self.faults[number]
                return answer if isinstance(answer, Answer) else answer(request)
        answer = self._routes().get(f"{request.method} {path}")
        return answer_json({"error": "not found"}, 404) if answer is None else answer(request)

    def _routes(self) -> dict[str, Script]:
        return {
            "GET /auth": self._consent,
            "POST /api/v1/auth/keys": self._exchange,
            "POST /api/device-auth/codes": self._kilo_code,
            f"GET /api/device-auth/codes/{KILO_CODE}": self._kilo_poll,
            "GET /api/profile": self._kilo_profile,
            "POST /login/device/code": self._device_code,
            "POST /login/oauth/access_token": self._device_token,
            "POST /token": self._refresh,
        }

    def _consent(self, request: Received) -> Answer:
        """The page on which the user agrees; the code comes back in the redirect, or on the page."""
        query = dict(parse_qsl(urlsplit(request.path).query, strict_parsing=True))
        if query.get("code_challenge_method") != "S256":
            return answer_json({"error": "code_challenge_method"}, 400)
        code = f"code-{len(self.challenges)}-{query['code_challenge'][:6]}"
        self.challenges[code] = query["code_challenge"]
        if "callback_url" in query:
            return Answer(302, {"Location": f"{query['callback_url']}?{urlencode({'code': code})}"})
        return Answer(200, {"Content-Type": "text/plain"}, [code.encode()])

    def _exchange(self, request: Received) -> Answer:
        asked: dict[str, str] = request.json
        if asked.get("code_challenge_method") != "S256":
            return answer_json({"error": {"code": 400, "message": "Invalid code_challenge_method"}}, 400)
        challenge = self.challenges.pop(asked.get("code", ""), None)
        if challenge is None or s256(asked["code_verifier"]) != challenge:
            return answer_json({"error": {"code": 403, "message": "Invalid code or code_verifier"}}, 403)
        return answer_json({"key": KEY, "user_id": "user_2ada"})

    def _kilo_code(self, _request: Received) -> Answer:
        page = "https://app.kilo.example/device"
        return answer_json({"code": KILO_CODE, "verificationUrl": page, "expiresIn": 600})

    def _kilo_profile(self, request: Received) -> Answer:
        assert request.headers["authorization"] == f"Bearer {KILO_TOKEN}"
        return answer_json({"user": {"name": "Ada", "email": "ada@kilo.example"}, "organizations": []})

    def _kilo_poll(self, _request: Received) -> Answer:
        if not self.approved:
            return answer_json({"status": "pending"}, 202)
        return answer_json({"status": "approved", "token": KILO_TOKEN, "userId": "u1"})

    def _device_code(self, request: Received) -> Answer:
        asked = form_of(request)
        if asked["client_id"] != CLIENT_ID:
            return answer_json({"error": "Not Found"}, 404)
        return answer_json(
            {
                "device_code": DEVICE_CODE,
                "user_code": "WDJB-MJHT",
                "verification_uri": "https://github.example/login/device",
                "expires_in": 900,
                "interval": 5,
            }
        )

    def _device_token(self, request: Received) -> Answer:
        asked = form_of(request)
        if asked != {
            "client_id": CLIENT_ID,
            "device_code": DEVICE_CODE,
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        }:
            return oauth_error("incorrect_device_code")
        if not self.approved:
            return oauth_error("authorization_pending")
        return answer_json({"access_token": GITHUB_TOKEN, "token_type": "bearer", "scope": "read:user"})

    def _refresh(self, request: Received) -> Answer:
        asked = form_of(request)
        if asked.get("grant_type") != "refresh_token":
            return oauth_error("unsupported_grant_type", 400)
        used = asked.get("refresh_token", "")
        if used not in self.refresh_tokens:
            return oauth_error("invalid_grant", 400, error_description="used or revoked")
        self.renewed += 1
        answer = {
            "access_token": f"access-token-{self.renewed}",
            "token_type": "Bearer",
            "expires_in": self.expires_in,
        }
        if self.rotates:
            self.refresh_tokens.remove(used)
            answer["refresh_token"] = f"refresh-token-{self.renewed}"
            self.refresh_tokens.add(answer["refresh_token"])
        return answer_json(answer)


@asynccontextmanager
async def running_authorisation(authorisation: Authorisation) -> AsyncGenerator[Upstream]:
    """The server, until the end of the context."""
    async with running_upstream(authorisation) as server:
        yield server


def root_of(server: Upstream) -> str:
    """Where the site of the server is."""
    return f"http://127.0.0.1:{server.port}"


def requests_for(server: Upstream, path: re.Pattern[str]) -> list[Received]:
    return [request for request in server.requests if path.search(urlsplit(request.path).path)]


def form_of(request: Received) -> dict[str, str]:
    """The fields of a form, each once."""
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    fields = parse_qs(request.body.decode("ascii"), strict_parsing=True, keep_blank_values=True)
    assert all(len(values) == 1 for values in fields.values())
    return {name: values[0] for name, values in fields.items()}


def oauth_error(error: str, status: int = 200, **more: Any) -> Answer:
    """GitHub says "not yet" with status 200, most others with 400."""
    return answer_json({"error": error, **more}, status)


def s256(verifier: str) -> str:
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)  # RFC 7636, section 4.1
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(frozen=True)
class Page:
    """What a browser was answered."""

    status: int
    headers: dict[str, str]
    text: str


class Browser:
    """Opens pages on loopback, with the headers of a navigation."""

    async def open(self, url: str, **changes: Any) -> Page:
        """The page at `url`, after every redirect."""
        page = await self.get(url, **changes)
        while page.status in range(300, 400):
            page = await self.get(page.headers["location"])
        return page

    async def get(
        self, url: str, *, method: str = "GET", host: str | None = None, headers: dict[str, str] | None = None
    ) -> Page:
        """One request, without following anything."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        sent = {"Host": host or parts.netloc, "Sec-Fetch-Dest": "document", **(headers or {})}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        answer = await self.send(url, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        assert answer is not None, "no answer"
        return answer

    async def send(self, url: str, data: bytes) -> Page | None:
        """The answer to these bytes; None when there is none."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(data)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            length = int(headers.get("content-length", 0))
            body = await reader.readexactly(length) if length else await self._chunks(reader, headers)
            return Page(int(first.split(" ")[1]), headers, body.decode())
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        finally:
            writer.close()

    async def _chunks(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        body = b""
        while headers.get("transfer-encoding") == "chunked":
            size = int(await reader.readline(), 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                break
        return body
