"""Formats that are opened in a child process under limits: workbooks, XML, Parquet, zip archives.

``child.py`` and what it imports runs there; ``launcher.py`` and ``table_reader.py`` here. Nothing
the child says is trusted: every frame is decoded strictly, every table validated and counted.
"""
