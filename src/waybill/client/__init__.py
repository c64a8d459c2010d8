"""The library for callers; it knows nothing of the server."""
