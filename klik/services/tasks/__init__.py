"""A municipality's task: reading it, changing it, what hangs on it, and taking it home as a file."""
