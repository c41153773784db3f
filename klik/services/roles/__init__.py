"""The role gallery: who holds which role in a municipality, and what follows from it."""
