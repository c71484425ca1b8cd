"""The daily round with the clearinghouse: send what is ready, take in what has come, settle what it says."""

import structlog

from billing.flows.settle_remittance import settle, settle_what_is_left
from insurance.clearinghouse import ClearinghouseRefused, InsurerUnreachable, OutcomeUnknown
from insurance.models import EdiFile
from insurance.services import acknowledgements, exchange, remittances

log = structlog.get_logger(__name__)


def send_ready_claims() -> int:
    """Batch the claims that are ready and send every file not known to have arrived. Returns how many files went."""
    exchange.build_batches()
    sent = 0
    for file in exchange.unsent_files():
        try:
            exchange.send_file(file)
            sent += 1
        except (InsurerUnreachable, ClearinghouseRefused) as error:
            log.warning("claims_not_sent", file=file.pk, error=str(error))
    return sent


def take_in() -> int:
    """Fetch what waits for us and work through every received file; returns how many were worked through."""
    try:
        exchange.fetch()
    except (InsurerUnreachable, OutcomeUnknown, ClearinghouseRefused) as error:
        log.warning("nothing_fetched", error=str(error))
    received = EdiFile.objects.filter(direction=EdiFile.Direction.IN, state=EdiFile.State.RECEIVED).order_by("pk")
    done = 0
    for file in received:
        try:
            read(file)
            done += 1
        except Exception:
            # Whatever is wrong with one file, the others must not wait for it. It is tried again at the next sweep.
            log.exception("file_not_read", file=file.pk)
    settle_what_is_left()
    return done


def read(file: EdiFile) -> None:
    """Record what one received file says, then settle it."""
    match file.kind:
        case EdiFile.Kind.ACKNOWLEDGEMENT:
            acknowledgements.record_999(file)
        case EdiFile.Kind.CLAIM_ACKNOWLEDGEMENT:
            acknowledgements.record_277ca(file)
        case EdiFile.Kind.REMITTANCE:
            for remittance in remittances.record(file):
                settle(remittance)
