"""What jobs do: use cases, reads, runs, the worker."""
