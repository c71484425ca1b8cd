"""Our CAQH CORE adapter: what it sends, what it believes, and which error each misfortune becomes."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.test import override_settings

from insurance.clearinghouse import (
    ClearinghouseRefused,
    InsurerUnreachable,
    OutcomeUnknown,
    PayloadType,
    caqh_core,
    clearinghouse,
)
from insurance.x12 import x999
from tests.sandbox.clearinghouse_world import World, core
from tests.sandbox.clearinghouse_world import clearinghouse as running_clearinghouse
from tests.stand_ins import free_port, serving
from tests.x12 import cast

BATCH = cast.send(cast.claim())


def parts(**fields: str) -> bytes:
    body = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return f"{body}--edge--\r\n".encode()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_clearinghouse(tmp_path_factory.mktemp("clearinghouse"), redeliver_after=0.0) as running:
        yield running


def submit(adapter: caqh_core.CaqhCoreClearinghouse, payload: bytes = BATCH, payload_id: str = "") -> str:
    payload_id = payload_id or str(uuid.uuid4())
    adapter.submit_batch(payload, payload_type=PayloadType.PROFESSIONAL_CLAIM, payload_id=payload_id)
    return payload_id


def refusal(adapter: caqh_core.CaqhCoreClearinghouse, payload_id: str = "") -> ClearinghouseRefused:
    with pytest.raises(ClearinghouseRefused) as caught:
        submit(adapter, payload_id=payload_id)
    return caught.value


def test_batch_is_receipted_with_the_receivers_time(world: World) -> None:
    payload_id = str(uuid.uuid4())
    receipt = world.core.submit_batch(BATCH, payload_type=PayloadType.PROFESSIONAL_CLAIM, payload_id=payload_id)
    assert receipt.payload_id == payload_id
    assert receipt.received_at is not None
    assert receipt.received_at.tzinfo is not None


def test_file_is_given_until_it_is_acknowledged(world: World) -> None:
    adapter = core(world.base, sender_id="UNTIL")
    submit(adapter)
    deadline = time.monotonic() + 5
    while not (first := adapter.retrieve(payload_type=PayloadType.RETRIEVE_999)):
        assert time.monotonic() < deadline
    again = adapter.retrieve(payload_type=PayloadType.RETRIEVE_999)
    assert [each.payload_id for each in again] == [each.payload_id for each in first]
    assert next(x999.read(first[0].payload)).control_number == "17"
    adapter.acknowledge(first[0].payload_id)
    adapter.acknowledge(first[0].payload_id)
    assert adapter.retrieve(payload_type=PayloadType.RETRIEVE_999) == []


def test_batch_sent_twice_with_one_payload_id_is_one_batch(world: World) -> None:
    adapter = core(world.base, sender_id="TWICE")
    payload_id = submit(adapter)
    submit(adapter, payload_id=payload_id)
    time.sleep(0.3)
    assert len(adapter.retrieve(payload_type=PayloadType.RETRIEVE_999)) == 1


def test_batch_whose_receipt_was_lost_is_settled_by_sending_it_again(world: World) -> None:
    adapter = core(world.base, sender_id="LOST")
    payload_id = str(uuid.uuid4())
    world.control("POST", "faults", {"address": "batch", "kind": "lost_answer"})
    with pytest.raises(OutcomeUnknown):
        submit(adapter, payload_id=payload_id)
    submit(adapter, payload_id=payload_id)
    time.sleep(0.3)
    assert len(adapter.retrieve(payload_type=PayloadType.RETRIEVE_999)) == 1


@pytest.mark.parametrize(
    ("kind", "error"), [("unavailable", InsurerUnreachable), ("error", OutcomeUnknown), ("slow", OutcomeUnknown)]
)
def test_misfortune_on_order_happens_once(world: World, kind: str, error: type[Exception]) -> None:
    adapter = core(world.base, sender_id="ONCE", timeouts=(1.0, 0.5, 0.5))
    world.control("POST", "faults", {"address": "batch", "kind": kind, "seconds": 1})
    with pytest.raises(error):
        submit(adapter)
    submit(core(world.base, sender_id="ONCE"))


def test_other_payload_under_a_known_payload_id_is_refused(world: World) -> None:
    payload_id = submit(world.core)
    with pytest.raises(ClearinghouseRefused) as caught:
        submit(world.core, BATCH.replace(b"S1P", b"S9P"), payload_id)
    assert caught.value.error_code == "PayloadIDIllegal"


def test_damaged_batch_is_refused_by_its_checksum(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caqh_core, "checksum", lambda payload: "0" * 40)
    assert refusal(world.core).error_code == "CheckSumMismatched"


def test_wrong_password_is_unauthorized(world: World) -> None:
    error = refusal(core(world.base, password="not it"))
    assert error.error_code == "UnAuthorized"
    assert "not it" not in str(error)


def test_payload_id_must_be_a_uuid(world: World) -> None:
    assert refusal(world.core, "batch-1").error_code == "PayloadIDIllegal"


def test_payload_type_nobody_takes_is_refused(world: World) -> None:
    with pytest.raises(ClearinghouseRefused) as caught:
        world.core.real_time(BATCH, payload_type=PayloadType.PROFESSIONAL_CLAIM, payload_id=str(uuid.uuid4()))
    assert caught.value.error_code == "PayloadTypeNotUnderstood"


def test_unreadable_inquiry_is_answered_with_a_999_that_names_the_segment(world: World) -> None:
    raw = world.core.real_time(BATCH, payload_type=PayloadType.ELIGIBILITY_INQUIRY, payload_id=str(uuid.uuid4()))
    group = next(x999.read(raw))
    assert (group.accepted, group.control_number) == (False, "17")
    assert group.all_faults[0].segment == "ST"


def test_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(InsurerUnreachable):
        submit(core(f"http://127.0.0.1:{free_port()}"))


def test_server_that_says_later_is_unreachable() -> None:
    with answering(503, b"busy", "text/plain") as base, pytest.raises(InsurerUnreachable):
        submit(core(base))


@pytest.mark.parametrize("status", [500, 502, 504])
def test_server_that_broke_halfway_leaves_the_outcome_unknown(status: int) -> None:
    with answering(status, b"oops", "text/plain") as base, pytest.raises(OutcomeUnknown):
        submit(core(base))


def test_silence_after_sending_leaves_the_outcome_unknown() -> None:
    with silent() as base, pytest.raises(OutcomeUnknown):
        submit(core(base, timeouts=(1.0, 0.3, 0.3)))


def test_line_cut_after_sending_leaves_the_outcome_unknown() -> None:
    with silent(hang_up=True) as base, pytest.raises(OutcomeUnknown):
        submit(core(base))


def test_answer_that_drips_forever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Drip(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "multipart/form-data; boundary=x")
            self.end_headers()
            for _ in range(100):
                try:
                    self.wfile.write(b".")
                except OSError:
                    return
                time.sleep(0.02)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    monkeypatch.setattr(caqh_core, "_CHUNK", 1)
    with serving(Drip) as base, pytest.raises(OutcomeUnknown):
        submit(core(base, timeouts=(0.2, 0.2, 0.2)))


def test_answer_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caqh_core, "MAX_BATCH_BYTES", 1_000)
    with answering(200, b"x" * 2_000, "multipart/form-data; boundary=x") as base:
        assert refusal(core(base)).error_code == "PayloadLengthIllegal"


def test_retrieved_file_that_is_damaged_is_not_believed() -> None:
    body = parts(
        PayloadType="X12_835_Response_005010X221A1", ErrorCode="Success", PayloadID=str(uuid.uuid4()),
        CheckSum="0" * 40, Payload="ISA*00*",
    )  # fmt: skip
    with answering(200, body, "multipart/form-data; boundary=edge") as base:
        with pytest.raises(ClearinghouseRefused) as caught:
            core(base).retrieve(payload_type=PayloadType.RETRIEVE_835)
        assert caught.value.error_code == "CheckSumMismatched"


@pytest.mark.parametrize(
    ("status", "content_type", "body", "code"),
    [
        (401, "text/plain", b"no", "UnAuthorized"),
        (302, "text/html", b"moved", "Receiver"),
        (200, "text/html", b"<h1>hello</h1>", "Receiver"),
        (200, "multipart/form-data", b"no boundary", "Receiver"),
        (200, "multipart/form-data; boundary=edge", b"--edge\r\nnonsense", "Receiver"),
        (
            200,
            "multipart/form-data; boundary=edge",
            parts(PayloadType="X12_835_Response_005010X221A1"),
            "ErrorCodeRequired",
        ),
    ],
)
def test_answer_that_is_no_core_message_is_refused(status: int, content_type: str, body: bytes, code: str) -> None:
    with answering(status, body, content_type) as base:
        assert refusal(core(base)).error_code == code


@override_settings(
    CLEARINGHOUSE_URL="http://example.test",
    CLEARINGHOUSE_USER="u",
    CLEARINGHOUSE_PASSWORD="p",
    CLEARINGHOUSE_SENDER_ID="S",
    CLEARINGHOUSE_RECEIVER_ID="R",
)
def test_settings_name_the_clearinghouse() -> None:
    assert clearinghouse() == caqh_core.CaqhCoreClearinghouse("http://example.test", "u", "p", "S", "R")
    assert "password" not in repr(clearinghouse())


def test_port_taken_is_one_clear_line(tmp_path: Path) -> None:
    import subprocess
    import sys

    with answering(200, b"", "text/plain") as base:
        port = base.rsplit(":", 1)[1]
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.clearinghouse", f"--port={port}", f"--data={tmp_path}"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"port {port} cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def answering(status: int, body: bytes, content_type: str) -> Iterator[str]:
    """A server that reads any POST and always answers the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with serving(Handler) as base:
        yield base


@contextmanager
def silent(*, hang_up: bool = False) -> Iterator[str]:
    """A server that takes the request and says nothing, or hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                if not hang_up:
                    done.wait(5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join()
