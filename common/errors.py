"""The one root of errors that are meant for people to read."""


class DomainError(Exception):
    """A rule of the business refuses this; ``str(error)`` is a sentence a person can act on.

    Views show it beside the form, the API answers it as a problem body, commands print it and exit 1.
    Nothing has been written when it is raised: every service raises before, or rolls back.
    """

    status = 409
    """HTTP status the API answers with."""

    @property
    def code(self) -> str:
        """Stable machine name of the error: its class name."""
        return type(self).__name__


class BadInput(DomainError):
    """Input that cannot be read; ``where`` names the place (a JSON path, a segment, a field)."""

    status = 422

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where
