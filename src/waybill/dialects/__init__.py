"""Wire contracts, one module each."""
