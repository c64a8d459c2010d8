"""The ASGI edge: the only place with an event loop."""
