"""Where accepted records go, one module or folder each."""
