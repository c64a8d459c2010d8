"""The composition root: the only place that chooses adapters, one file per thing to put together.

``embedded.py`` opens what every process shares; ``web.py`` and ``worker.py`` make a process of it;
``supervisor.py`` runs both under one ``waybill serve``; ``administration.py`` and ``offline.py``
serve the commands that need no server.
"""
