"""Stripe's webhook: checked, stored, answered at once; worked on by the worker."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.flows import stripe_news
from billing.gateways.results import BadSignature
from billing.gateways.stripe_gateway import gateway
from common.hurry import hurry


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Accept one signed event (400 for a bad signature). Stored before it is answered, so none is lost."""
    try:
        event = gateway().parse_webhook(request.body, request.headers.get("Stripe-Signature", ""))
    except BadSignature:
        return HttpResponse("the signature is not valid", status=400, content_type="text/plain")
    row, _is_new = stripe_news.store(event)
    if row.processed_at is None:
        hurry("billing.tasks.process_stripe_event", row.pk)
    return HttpResponse("stored", content_type="text/plain")
