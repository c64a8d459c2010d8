"""The embedded store: SQLite through apsw, WAL, synchronous=FULL.

``store.py`` holds ``SqliteStore``; its parts lie in one file per duty. Statements are files in
``queries/``, the rules of states are constraints and triggers in ``migrations/``.
"""
