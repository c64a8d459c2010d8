"""Tools whose libraries parse what may be hostile run in limited children."""
