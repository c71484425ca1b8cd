"""Who may use an address of the API, idempotency of writes, and what an account and its requests to support read as."""
