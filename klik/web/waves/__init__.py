"""Waves: KOMBIT sees and changes when municipalities take a system into use."""
