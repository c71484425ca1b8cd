"""A mail sink: takes every message over SMTP, delivers none, and shows them on a page.

``python -m sandbox.mailbox --smtp-port N --http-port N --data DIR``.
"""
