"""The HTTP edge: the only asynchronous code, and the only one that knows a web framework."""
