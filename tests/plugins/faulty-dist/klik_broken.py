"""Cannot be imported."""

import no_such_module  # noqa: F401

KLIK_API = (1, 0)
