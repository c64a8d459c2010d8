"""Readers: container, encoding, format; each turns a stored input into chunks of raw values."""
