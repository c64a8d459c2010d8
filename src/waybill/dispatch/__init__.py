"""Carriers of hints between processes."""
