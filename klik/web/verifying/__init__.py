"""Whether a file is genuine: the public page."""
