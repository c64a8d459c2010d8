"""File tools: what turns one file into another. ``tools.py`` names them all."""
