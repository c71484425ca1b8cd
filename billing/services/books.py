"""Invariants of the books, claims and mail, each a query for what violates it. ``manage.py check_books`` runs them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection, transaction

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Check:
    """An invariant: its name, what it says in words, and the SQL that finds rows breaking it (one text column)."""

    name: str
    says: str
    sql: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows break an invariant, and a few of them."""

    check: Check
    violations: int
    examples: tuple[str, ...]


CHECKS = (
    Check(
        "entries_balance",
        "Every ledger entry has at least two lines that add up to zero.",
        """
        SELECT e.key FROM ledger_entry e LEFT JOIN ledger_line l ON l.entry_id = e.id
        GROUP BY e.id HAVING count(l.id) < 2 OR sum(l.amount) <> 0
        """,
    ),
    Check(
        "payments_are_booked",
        "A succeeded payment, and no other, is in the books with its amount.",
        """
        SELECT 'payment ' || p.id FROM billing_payment p
        LEFT JOIN ledger_entry e ON e.key = 'payment:' || p.id
        LEFT JOIN ledger_line l ON l.entry_id = e.id AND l.account_id = 'stripe'
        GROUP BY p.id, e.id
        HAVING (p.state = 'succeeded') <> (e.id IS NOT NULL)
            OR (p.state = 'succeeded' AND coalesce(sum(l.amount), 0) <> p.amount)
        """,
    ),
    Check(
        "payments_are_their_parts",
        "The parts of a payment add up to it.",
        """
        SELECT 'payment ' || p.id FROM billing_payment p LEFT JOIN billing_paymentpart t ON t.payment_id = p.id
        GROUP BY p.id HAVING coalesce(sum(t.amount), 0) <> p.amount
        """,
    ),
    Check(
        "plans_are_their_parts",
        "The monthly parts of a payment plan add up to it, and so do its shares of sessions.",
        """
        SELECT 'payment plan ' || p.id FROM billing_paymentplan p
        WHERE p.total <> (SELECT coalesce(sum(i.amount), 0) FROM billing_instalment i WHERE i.plan_id = p.id)
           OR p.total <> (SELECT coalesce(sum(t.amount), 0) FROM billing_paymentplanpart t WHERE t.plan_id = p.id)
        """,
    ),
    Check(
        "charges_within_consent",
        "No charge made by itself is more than was agreed to: a plan's part, autopay's notice and limit, a retry.",
        """
        SELECT 'payment ' || p.id FROM billing_payment p JOIN billing_instalment i ON i.payment_id = p.id
        WHERE p.amount > i.amount
        UNION ALL
        SELECT 'payment ' || p.id FROM billing_payment p JOIN billing_autopaynotice n ON n.payment_id = p.id
        WHERE p.amount > n.amount
        UNION ALL
        SELECT 'autopay notice ' || n.id FROM billing_autopaynotice n JOIN billing_autopay a ON a.id = n.autopay_id
        WHERE n.amount > a."limit"
        UNION ALL
        SELECT 'payment ' || p.id FROM billing_payment p JOIN billing_payment d ON d.id = p.retry_of_id
        WHERE p.amount > d.amount
        """,
    ),
    Check(
        "charges_are_announced",
        "Every later part of a payment plan and every charge of autopay was announced three days before.",
        """
        SELECT 'part ' || i.id FROM billing_instalment i JOIN billing_payment p ON p.id = i.payment_id
        WHERE i.number > 1 AND (i.noticed_at IS NULL OR p.created_at < i.noticed_at + interval '3 days'
            OR NOT EXISTS (SELECT 1 FROM notifications_email m WHERE m.key = 'instalment_coming:' || i.id))
        UNION ALL
        SELECT 'autopay notice ' || n.id FROM billing_autopaynotice n JOIN billing_payment p ON p.id = n.payment_id
        WHERE p.created_at < n.announced_at + interval '3 days'
           OR NOT EXISTS (SELECT 1 FROM notifications_email m WHERE m.key = 'autopay_coming:' || n.id)
        """,
    ),
    Check(
        "refunds_are_booked",
        "A processed refund, and no other, is in the books against Stripe with its amount; one the bank sent back is "
        "reversed; one that was given back another way, and no other, is booked against the bank.",
        """
        SELECT 'refund ' || r.id FROM billing_refund r
        LEFT JOIN ledger_entry e ON e.key = ANY (
            ARRAY['refund:' || r.id, 'reversal:refund:' || r.id, 'refund_external:' || r.id])
        LEFT JOIN ledger_line l ON l.entry_id = e.id AND l.account_id IN ('stripe', 'bank')
        GROUP BY r.id
        HAVING coalesce(-sum(l.amount) FILTER (WHERE l.account_id = 'stripe'), 0)
            <> CASE WHEN r.state = 'succeeded' THEN r.amount ELSE 0 END
            OR coalesce(-sum(l.amount) FILTER (WHERE l.account_id = 'bank'), 0)
            <> CASE WHEN r.state = 'external' THEN r.amount ELSE 0 END
        """,
    ),
    Check(
        "external_refunds_say_how",
        "A refund that was given back another way names its check or transfer and its day, and no other names one.",
        """
        SELECT 'refund ' || r.id FROM billing_refund r
        WHERE (r.state = 'external') <> (r.external_reference <> '')
           OR (r.state = 'external' AND r.processed_at IS NULL)
        """,
    ),
    Check(
        "refunds_within_payments",
        "What is given back of a payment for a session is never more than was paid for it.",
        """
        SELECT 'payment ' || t.payment_id || ' session ' || t.session_id FROM billing_paymentpart t
        JOIN billing_payment p ON p.id = t.payment_id
        JOIN billing_refund r ON r.payment_id = t.payment_id AND r.session_id = t.session_id AND r.state <> 'failed'
        GROUP BY t.id, p.state HAVING sum(r.amount) > t.amount OR p.state <> 'succeeded'
        """,
    ),
    Check(
        "movements_are_their_entries",
        "A movement of Stripe's that is matched moves in the books what it moved at Stripe.",
        """
        SELECT 'movement ' || t.transaction_id FROM billing_balancetransaction t
        LEFT JOIN ledger_line l ON l.entry_id = t.entry_id AND l.account_id = 'stripe'
        WHERE t.entry_id IS NOT NULL
        GROUP BY t.id HAVING coalesce(sum(l.amount), 0) <> t.amount
        """,
    ),
    Check(
        "fees_are_booked",
        "Every fee of Stripe's, and nothing else, is in the books as a fee with its amount.",
        """
        SELECT 'movement ' || t.transaction_id FROM billing_balancetransaction t
        LEFT JOIN ledger_line l ON l.entry_id = t.fee_entry_id AND l.account_id = 'stripe_fees'
        GROUP BY t.id HAVING coalesce(sum(l.amount), 0) <> t.fee
        """,
    ),
    Check(
        "stripe_s_list_is_ours",
        "The nightly comparison with Stripe has no open difference.",
        "SELECT key FROM billing_reconciliationcase WHERE state = 'open'",
    ),
    Check(
        "disputes_hold_what_is_open",
        "What is held back in a client's disputes is what banks have taken and not decided on.",
        """
        SELECT 'client ' || p.client_id FROM billing_dispute d JOIN billing_payment p ON p.id = d.payment_id
        GROUP BY p.client_id
        HAVING (SELECT coalesce(sum(l.amount), 0) FROM ledger_line l
                WHERE l.account_id = 'disputed' AND l.client_id = p.client_id)
            NOT BETWEEN 0 AND sum(CASE WHEN d.state IN ('needs_response', 'under_review', 'won') THEN d.amount
                                  ELSE 0 END)
        """,
    ),
    Check(
        "payouts_arrive_or_return",
        "A payout from Stripe is on its way, at the bank, or back at Stripe, and the books say the same.",
        """
        SELECT 'payout ' || o.payout_id FROM billing_stripepayout o
        LEFT JOIN ledger_entry e ON e.key IN ('stripe_payout:' || o.id, 'stripe_payout_paid:' || o.id,
            'reversal:stripe_payout:' || o.id, 'reversal:stripe_payout_paid:' || o.id)
        LEFT JOIN ledger_line l ON l.entry_id = e.id
        GROUP BY o.id
        HAVING coalesce(-sum(l.amount) FILTER (WHERE l.account_id = 'stripe'), 0)
               <> CASE WHEN o.state IN ('failed', 'canceled') THEN 0 ELSE o.amount END
            OR coalesce(sum(l.amount) FILTER (WHERE l.account_id = 'bank'), 0)
               <> CASE WHEN o.state = 'paid' THEN o.amount ELSE 0 END
        """,
    ),
    Check(
        "remittances_balance",
        "The claims of a remittance less its provider-level adjustments are its amount.",
        """
        SELECT 'remittance ' || m.id FROM insurance_remittance m
        WHERE m.amount <> (SELECT coalesce(sum(a.paid), 0) FROM insurance_adjudication a WHERE a.remittance_id = m.id)
                        - (SELECT coalesce(sum(b.amount), 0) FROM insurance_provideradjustment b
                           WHERE b.remittance_id = m.id)
        """,
    ),
    Check(
        "insurer_money_is_booked",
        "Every posted result's payment is at the bank in the books, once.",
        """
        SELECT 'adjudication ' || a.id FROM insurance_adjudication a
        LEFT JOIN ledger_line l ON l.account_id = 'bank' AND l.entry_id =
            (SELECT id FROM ledger_entry WHERE key = 'adjudication:' || a.id)
        GROUP BY a.id
        HAVING coalesce(sum(l.amount), 0) <> CASE WHEN a.posted_at IS NULL THEN 0 ELSE a.paid END
        """,
    ),
    Check(
        "confirmed_sessions_are_complete",
        "A confirmed session has a cost, an earning, a primary claim and its entries; no other has but a voided one.",
        """
        SELECT 'session ' || s.id FROM care_session s
        WHERE NOT (s.status = 'cancelled' AND EXISTS (
            SELECT 1 FROM billing_earningadjustment WHERE session_id = s.id AND reason = 'voided'))
          AND (s.status = 'confirmed') <> (
            EXISTS (SELECT 1 FROM billing_providerearning WHERE session_id = s.id)
            AND EXISTS (SELECT 1 FROM billing_sessioncost WHERE session_id = s.id)
            AND EXISTS (SELECT 1 FROM insurance_claim WHERE session_id = s.id AND rank = 1)
            AND EXISTS (SELECT 1 FROM ledger_entry WHERE key = 'earning:' || s.id))
        """,
    ),
    Check(
        "voided_sessions_are_undone",
        "A voided session costs the client nothing, earns its provider nothing, and is no income of ours.",
        """
        SELECT 'session ' || s.id FROM care_session s
        WHERE s.status = 'cancelled' AND EXISTS (SELECT 1 FROM billing_providerearning WHERE session_id = s.id)
          AND EXISTS (
            SELECT 1 FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id
            WHERE l.session_id = s.id AND (l.account_id IN ('session_revenue', 'provider_cost')
                OR (l.account_id = 'client_receivable' AND e.key LIKE 'cost:%'))
            GROUP BY l.account_id HAVING sum(l.amount) <> 0)
        """,
    ),
    Check(
        "payouts_are_their_lines",
        "A payout is the sum of its lines, and each line is what its earning or change amounts to, of that provider.",
        """
        SELECT 'payout ' || p.id FROM billing_providerpayout p
        LEFT JOIN billing_payoutline l ON l.payout_id = p.id
        LEFT JOIN billing_providerearning e ON e.id = l.earning_id
        LEFT JOIN billing_earningadjustment a ON a.id = l.adjustment_id
        GROUP BY p.id
        HAVING coalesce(sum(l.amount), 0) <> p.amount
            OR bool_or(l.amount <> coalesce(e.amount, a.amount))
            OR bool_or(p.provider_id <> coalesce(e.provider_id, a.provider_id))
        """,
    ),
    Check(
        "payouts_are_booked",
        "A payout that was sent, and no other, has left the bank in the books with its amount.",
        """
        SELECT 'payout ' || p.id FROM billing_providerpayout p
        LEFT JOIN ledger_entry e ON e.key = ANY (ARRAY['payout:' || p.id, 'reversal:payout:' || p.id])
        LEFT JOIN ledger_line l ON l.entry_id = e.id AND l.account_id = 'bank'
        GROUP BY p.id
        HAVING coalesce(-sum(l.amount), 0) <> CASE WHEN p.state = 'sent' THEN p.amount ELSE 0 END
        """,
    ),
    Check(
        "nothing_earned_is_paid_twice",
        "An earning or a change of one is in one payout at most.",
        """
        SELECT coalesce('earning ' || earning_id, 'adjustment ' || adjustment_id) FROM billing_payoutline
        GROUP BY earning_id, adjustment_id HAVING count(*) > 1
        """,
    ),
    Check(
        "providers_are_owed_what_is_unpaid",
        "What the books owe a provider is what no payout holds, and what waits in payouts that were not sent.",
        """
        WITH unpaid AS (
            SELECT e.provider_id, e.amount FROM billing_providerearning e
            WHERE NOT EXISTS (SELECT 1 FROM billing_payoutline l WHERE l.earning_id = e.id)
            UNION ALL SELECT a.provider_id, a.amount FROM billing_earningadjustment a
            WHERE NOT EXISTS (SELECT 1 FROM billing_payoutline l WHERE l.adjustment_id = a.id)
            UNION ALL SELECT p.provider_id, p.amount FROM billing_providerpayout p WHERE p.state = 'created'
            UNION ALL SELECT provider_id, amount FROM ledger_line WHERE account_id = 'provider_payable')
        SELECT 'provider ' || provider_id FROM unpaid GROUP BY provider_id HAVING sum(amount) <> 0
        """,
    ),
    Check(
        "final_costs_are_booked",
        "The books ask the client for exactly the final cost of a session.",
        """
        SELECT 'session ' || c.session_id FROM (
            SELECT DISTINCT ON (session_id) session_id, amount, basis FROM billing_sessioncost
            ORDER BY session_id, id DESC) c
        WHERE c.basis = 'final' AND c.amount <> (
            SELECT coalesce(sum(l.amount), 0) FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id
            WHERE l.account_id = 'client_receivable' AND l.session_id = c.session_id AND e.key LIKE 'cost:%')
        """,
    ),
    Check(
        "insurers_are_closed",
        "Nothing is expected of an insurer for a session whose cost is final and whose plans have all answered; of one "
        "that was voided, what they paid is owed back until they take it.",
        """
        SELECT 'session ' || r.session_id FROM (
            SELECT session_id, payer_id FROM ledger_line WHERE account_id = 'insurer_receivable'
            GROUP BY session_id, payer_id HAVING sum(amount) <> 0) r
        JOIN LATERAL (SELECT basis FROM billing_sessioncost c WHERE c.session_id = r.session_id
                      ORDER BY id DESC LIMIT 1) c ON c.basis = 'final'
        JOIN care_session s ON s.id = r.session_id AND s.status = 'confirmed'
        WHERE NOT EXISTS (
            SELECT 1 FROM insurance_claim k WHERE k.session_id = r.session_id AND k.frequency <> '8'
                AND k.submission NOT IN ('not_needed', 'replaced') AND k.decision NOT IN ('paid', 'denied', 'routed'))
            AND NOT EXISTS (SELECT 1 FROM insurance_adjudication a JOIN insurance_claim k ON k.id = a.claim_id
                            WHERE k.session_id = r.session_id AND a.posted_at IS NULL)
        """,
    ),
    Check(
        "suspense_is_explained",
        "What is in suspense came with results without a claim and provider-level amounts, less what was placed.",
        """
        SELECT 'suspense is off by ' || off FROM (
            SELECT (SELECT coalesce(sum(amount), 0) FROM ledger_line WHERE account_id = 'insurer_suspense')
                 + (SELECT coalesce(sum(a.paid), 0) FROM insurance_adjudication a WHERE a.posted_at IS NOT NULL
                    AND (a.claim_id IS NULL OR EXISTS (
                        SELECT 1 FROM billing_suspensemove m WHERE m.adjudication_id = a.id)))
                 - (SELECT coalesce(sum(p.amount), 0) FROM insurance_provideradjustment p
                    WHERE EXISTS (SELECT 1 FROM ledger_entry WHERE key = 'provider_adjustment:' || p.id))
                 - (SELECT coalesce(sum(amount), 0) FROM billing_suspensemove) AS off) difference
        WHERE off <> 0
        UNION ALL
        SELECT 'result ' || a.id FROM billing_suspensemove m JOIN insurance_adjudication a ON a.id = m.adjudication_id
        GROUP BY a.id HAVING abs(sum(m.amount)) > abs(a.paid) OR sum(m.amount) * a.paid < 0
        UNION ALL
        SELECT 'amount ' || p.id FROM billing_suspensemove m
        JOIN insurance_provideradjustment p ON p.id = m.provider_adjustment_id
        GROUP BY p.id HAVING abs(sum(m.amount)) > abs(p.amount) OR sum(m.amount) * p.amount > 0
        """,
    ),
    Check(
        "write_offs_are_booked",
        "What is written off for a session is in the books, and no write-off is taken back by more than it was.",
        """
        SELECT 'session ' || w.session_id FROM billing_writeoff w GROUP BY w.session_id
        HAVING sum(w.amount) <> (SELECT coalesce(sum(l.amount), 0) FROM ledger_line l
            WHERE l.account_id = 'client_write_off' AND l.session_id = w.session_id)
        UNION ALL
        SELECT 'write-off ' || w.id FROM billing_writeoff w JOIN billing_writeoff t ON t.takes_back_id = w.id
        GROUP BY w.id HAVING w.amount + sum(t.amount) < 0
        """,
    ),
    Check(
        "claims_in_sequence",
        "No claim is sent to a later plan before every plan ahead of it has answered.",
        """
        SELECT 'claim ' || later.control_number FROM insurance_claim later
        JOIN insurance_claim earlier ON earlier.session_id = later.session_id AND earlier.rank < later.rank
        WHERE later.submitted_at IS NOT NULL AND later.submission <> 'replaced' AND earlier.decision = 'none'
          AND earlier.submission NOT IN ('not_needed', 'replaced')
          AND earlier.frequency <> '8' AND later.frequency <> '8' -- these only take a claim back
        """,
    ),
    Check(
        "pauses_are_summed_up",
        "A client is paused exactly while a pause of theirs is open.",
        """
        SELECT 'client ' || c.id FROM people_client c
        WHERE (c.paused_since IS NOT NULL)
           <> EXISTS (SELECT 1 FROM insurance_accountpause p WHERE p.client_id = c.id AND p.cleared_at IS NULL)
        """,
    ),
    Check(
        "no_session_confirmed_in_a_pause",
        "No session was confirmed while its client was paused.",
        """
        SELECT 'session ' || s.id FROM care_session s JOIN insurance_accountpause p ON p.client_id = s.client_id
        WHERE s.confirmed_at > p.opened_at AND (p.cleared_at IS NULL OR s.confirmed_at < p.cleared_at)
        """,
    ),
    Check(
        "refund_mail_for_each_refund",
        "Every refund that was processed or given back another way has its confirmation e-mail, and no other has one.",
        """
        SELECT 'refund ' || r.id FROM billing_refund r
        WHERE (r.state = 'external') <> EXISTS (
                SELECT 1 FROM notifications_email m WHERE m.key = 'refund_external:' || r.id)
           -- One given another way may have been processed before, and sent back.
           OR (r.state <> 'external' AND (r.processed_at IS NOT NULL) <> EXISTS (
                SELECT 1 FROM notifications_email m WHERE m.key = 'refund_processed:' || r.id))
        """,
    ),
    Check(
        "sent_mail_says_when",
        "An e-mail that is sent says when, and no other does.",
        "SELECT 'e-mail ' || id FROM notifications_email WHERE (state = 'sent') <> (sent_at IS NOT NULL)",
    ),
)


def run(checks: Iterable[Check] = CHECKS, progress: Callable[[Check], None] = lambda check: None) -> list[Outcome]:
    """Run the checks in one look at the database and tell what breaks them."""
    outcomes = []
    for check in checks:
        progress(check)
        with transaction.atomic(), connection.cursor() as cursor:
            # Pages are cut off after half a minute; a look at all books may take longer.
            cursor.execute("SET LOCAL statement_timeout = '15min'")
            cursor.execute(check.sql)
            found = [str(row[0]) for row in cursor.fetchall()]
        outcomes.append(Outcome(check, len(found), tuple(found[:EXAMPLES])))
    return outcomes
