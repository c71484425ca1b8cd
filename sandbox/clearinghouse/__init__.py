"""A clearinghouse that stands in for a real one: CAQH CORE Connectivity for every insurer, and a control API.

``python -m sandbox.clearinghouse --port 8010 --data DIR`` (``docs/clearinghouse.md``).
"""
