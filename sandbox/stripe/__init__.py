"""A stand-in for Stripe: localstripe in a process of its own, behind a front that closes its gaps.

localstripe keeps customers, cards, intents, charges, refunds and balance transactions. The front adds what a payment
program must be tried against: idempotency keys, refunds that never exceed their payment, the bank's answers of the test
cards, lists by customer, signed webhooks with retries, Stripe.js with a card field in a frame of its own, and faults on
request. ``python -m sandbox.stripe --help``.
"""
