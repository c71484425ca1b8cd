"""A year lived in simulation: clients, sessions and insurers drawn from one number, played through the product's own
flows and the stand-ins' own wires, and measured at the end against the insurers' own books. ``docs/simulated-year.md``.
"""
