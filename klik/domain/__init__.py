"""The rules of klik as pure functions: no clock, no files, no database, no web."""
