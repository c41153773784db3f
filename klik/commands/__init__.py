"""The commands of ``klik``, one noun a file."""
