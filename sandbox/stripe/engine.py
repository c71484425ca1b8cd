"""localstripe as a child process, and the calls the front makes to it."""

import asyncio
import contextlib
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp

Json = dict[str, Any]

_KEY = {"Authorization": "Bearer sk_test_engine"}
_START_SECONDS = 20.0
_STOP_SECONDS = 5.0


class Refusal(Exception):
    """An error answer in Stripe's form: HTTP status and the ``error`` object."""

    def __init__(self, status: int, message: str, /, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error: Json = {"type": "invalid_request_error", **more, "message": message}

    @property
    def body(self) -> Json:
        return {"error": self.error}


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Engine:
    """Starts, calls and stops localstripe. Use as an async context manager."""

    def __init__(self, data: Path) -> None:
        self._file = data / "localstripe.pickle"
        self._base = ""
        self._process: asyncio.subprocess.Process | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Engine":
        port = free_port()
        self._base = f"http://127.0.0.1:{port}"
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sandbox.stripe.localstripe_host",
            "--port",
            str(port),
            "--file",
            str(self._file),
            stdin=asyncio.subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=True,  # Ctrl-C reaches the front, which ends this one in order
        )
        self._http = aiohttp.ClientSession(base_url=self._base, headers=_KEY)
        await self._answering()
        return self

    async def _answering(self) -> None:
        assert self._http is not None and self._process is not None
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if self._process.returncode is not None:
                raise RuntimeError(f"localstripe ended with {self._process.returncode} while starting")
            with contextlib.suppress(aiohttp.ClientError):
                async with self._http.get("/v1/balance"):
                    return
            await asyncio.sleep(0.05)
        raise RuntimeError(f"localstripe did not answer within {_START_SECONDS:.0f} s")

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()
        if self._process is None or self._process.returncode is not None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def get(self, path: str, **query: str) -> Json:
        """GET ``/v1/`` + path. Raises :class:`Refusal`."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Json) -> Json:
        """POST ``/v1/`` + path. Raises :class:`Refusal`."""
        # localstripe reads an empty body as a bad request
        return await self._call("POST", path, json=body or {"key": "sk_test_engine"})

    async def _call(self, method: str, path: str, **options: Any) -> Json:
        assert self._http is not None
        async with self._http.request(method, f"/v1/{path}", **options) as answer:
            if answer.content_type != "application/json":
                raise Refusal(500, f"localstripe: {answer.status} {await answer.text()}", type="api_error")
            body: Json = await answer.json()
        if answer.status >= 400:
            error = dict(body.get("error", {}))
            if answer.status == 404:
                name, _, ident = path.partition("/")
                noun = name.removesuffix("s")
                raise Refusal(404, f"No such {noun}: '{ident.split('/')[0]}'", code="resource_missing", param="id")
            raise Refusal(answer.status, str(error.pop("message", "Bad request")), **error)
        return body
