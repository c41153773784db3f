"""Following up: how far the municipalities are, which are silent, and writing to those who should act."""
