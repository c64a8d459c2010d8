"""Background duties, one per file, under one runner."""
