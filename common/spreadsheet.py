"""What goes into a CSV file that somebody opens in a spreadsheet program."""


def harmless(text: str) -> str:
    """Words from files and forms, with an apostrophe before what the program would take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
