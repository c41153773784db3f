"""The role gallery of a municipality as an Excel sheet: written, filled in at home, and read in again."""
