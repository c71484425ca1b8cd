"""Stand-ins started for tests, each on a free port with a fresh folder."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import FrameLocator, Page

ROOT = Path(__file__).resolve().parents[1]
STRIPE_SECRET = "sk_test_stand_in"
WEBHOOK_SECRET = "whsec_stand_in"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where the environment says CI."""
    found = (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium in CI")
        pytest.skip("no Chromium here: install it to run the browser tests")
    return found


@contextmanager
def running(*command: str, health: str) -> Iterator[None]:
    """Run ``python -m command`` until the block ends, having waited until ``health`` answers."""
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                requests.get(health, timeout=2).raise_for_status()
                break
            except requests.RequestException:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{command[0]} did not start") from None
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@dataclass
class Receiver:
    """An HTTP server that keeps what it is sent: a webhook's receiving end."""

    url: str
    got: list[tuple[bytes, str]] = field(default_factory=list)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many more events of a type about a customer to answer with 500; others' may still be on their way."""

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in list(self.got)]

    def types(self, about: str = "") -> list[str]:
        return [event["type"] for event in self.events() if about in event["data"]["object"]["id"]]

    def wait_for_quiet(self, seconds: float = 0.5) -> None:
        """Until nothing has come for so long; a failure after ten seconds."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            before = len(self.got)
            time.sleep(seconds)
            if len(self.got) == before:
                return
        raise AssertionError("events do not stop coming")

    def wait_for(self, event_type: str, about: str = "", count: int = 1) -> dict[str, Any]:
        """The ``count``-th event of this type about this object, or a failure after five seconds."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            found = [e for e in self.events() if e["type"] == event_type and about in e["data"]["object"]["id"]]
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.02)
        raise AssertionError(f"{count} × {event_type} about {about or 'anything'} never came; came: {self.types()}")


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((body, self.headers.get("Stripe-Signature", "")))
            event = json.loads(body)
            about = event["type"], str(event["data"]["object"].get("customer", ""))
            refused = kept.refusals[about] > 0
            kept.refusals[about] -= refused
            self.send_response(500 if refused else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with serving(Handler) as base:
        kept = Receiver(f"{base}/webhooks/stripe/")
        yield kept


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve ``handler`` from a thread; gives the base address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class StripeStandIn:
    """A running Stripe stand-in."""

    base: str
    hooks: Receiver

    def call(self, method: str, path: str, key: str = "", **params: Any) -> requests.Response:
        """A raw request, as curl would send it."""
        headers = {"Authorization": f"Bearer {STRIPE_SECRET}"}
        if key:
            headers["Idempotency-Key"] = key
        query, body = (params, None) if method == "GET" else (None, params)
        url = f"{self.base}/v1/{path}"
        return requests.request(method, url, params=query, data=body, headers=headers, timeout=10)

    def fault(self, match: str, kind: str, count: int = 1) -> None:
        order = {"match": match, "kind": kind, "count": count}
        requests.post(f"{self.base}/_sandbox/faults", json=order, timeout=5).raise_for_status()

    def order(self, method: str, what: str, body: dict[str, Any]) -> requests.Response:
        """What real banks do by themselves, on order: ``disputes``, ``warnings``, ``payouts``."""
        return requests.request(method, f"{self.base}/_sandbox/{what}", json=body, timeout=10)

    def no_faults(self) -> None:
        requests.delete(f"{self.base}/_sandbox/faults", timeout=5).raise_for_status()


@contextmanager
def stripe_stand_in(data: Path) -> Iterator[StripeStandIn]:
    """Stripe on a free port, its events sent to a receiver."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with receiver() as hooks:
        options = ["--port", str(port), "--data", str(data), "--settle-seconds", "0.3"]
        options += ["--webhook", hooks.url, "--webhook-secret", WEBHOOK_SECRET]
        with running("sandbox.stripe", *options, health=f"{base}/healthz"):
            yield StripeStandIn(base, hooks)


def type_card(page: Page, number: str) -> FrameLocator:
    """As the tests of real Stripe pages do: the names of its frame and fields are the same."""
    frame = page.frame_locator("iframe[name^='__privateStripeFrame']").first
    frame.locator("[name=cardnumber]").press_sequentially(number)
    frame.locator("[name=exp-date]").press_sequentially("1240")
    frame.locator("[name=cvc]").press_sequentially("123")
    frame.locator("[name=postal]").press_sequentially("10013")
    return frame
