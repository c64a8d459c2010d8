"""Checking a file without a server: the same reader and checker, nothing stored."""

from __future__ import annotations
