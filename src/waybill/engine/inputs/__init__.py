"""A file as its job is to see it: readers around readers."""
