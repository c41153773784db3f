"""A driftsside as a building block: any plug-in may give its system one (docs/hooks.md, "Driftsside").

Messages on operations, known errors with workarounds that end with a release, news, a release plan, a year wheel and
guides; common to all municipalities, written by KOMBIT.
"""

from klik.plugins.driftsside.kit import Driftsside, KnownError
from klik.plugins.driftsside.tables import create_tables, drop_tables

__all__ = ["Driftsside", "KnownError", "create_tables", "drop_tables"]
