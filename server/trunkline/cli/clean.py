"""Other people's text on a terminal: what would move the cursor, set colours or do worse is taken out."""

import re

_LONGEST = 4096
"""Characters that a sequence may have; what claims to be longer is shown without its control characters."""

_STRING = rf"[PX\]^_][^\x07\x1b\x9c]{{0,{_LONGEST}}}"
_SEQUENCE = re.compile(
    rf"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b{_STRING}(?:\x07|\x9c|\x1b\\)|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
"""Control sequences, control strings and escape sequences, as in ECMA-48, 5.3 to 5.6."""
_UNFINISHED = re.compile(rf"(?:\x9b[0-?]*[ -/]*|\x1b(?:\[[0-?]*[ -/]*|{_STRING}\x1b?|[ -/]*))\Z")
_CONTROLS = dict.fromkeys(code for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t")


class TextCleaner:
    """For text that comes in pieces: a sequence may begin in one and end in the next."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """What of `text` can be shown; the beginning of a sequence is kept for the next piece."""
        text = _SEQUENCE.sub("", self._held + text)
        unfinished = _UNFINISHED.search(text)
        start = unfinished.start() if unfinished else len(text)
        if len(text) - start > _LONGEST:
            start = len(text)
        self._held = text[start:]
        return text[:start].translate(_CONTROLS)


def clean(text: str) -> str:
    """`text`, whole, with nothing in it that a terminal obeys; ends of lines and tabs stay."""
    return _SEQUENCE.sub("", text).translate(_CONTROLS)
