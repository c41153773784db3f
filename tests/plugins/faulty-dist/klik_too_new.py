"""Written for a klik that is not there yet."""

KLIK_API = (1, 99)
