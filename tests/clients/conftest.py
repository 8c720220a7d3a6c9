"""Real clients: what they have in common is in support."""

import pytest

# Before any test imports it: its assertions are to say as much as those of a test.
pytest.register_assert_rewrite("support.editors")
