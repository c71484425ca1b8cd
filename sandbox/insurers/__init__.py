"""Insurers that stand in for real ones: members' books, benefits, claims and payment, by rules of their own.

Nothing here knows the product's pricing or coordination code: that is the point. What an insurer decides is compared
with what the product expected, so the two must never share a line.
"""
