"""The demo's own error."""


class DemoError(Exception):
    """Something did not go as it should; the message says what."""
