"""Identifiers, told apart by type."""

from __future__ import annotations

from typing import NewType

JobId = NewType("JobId", str)
"""Native id of a job: unguessable (128 random bits), sortable by time of acceptance."""

ProjectName = NewType("ProjectName", str)
"""Name of a tenant; part of every key and every path."""

CredentialId = NewType("CredentialId", str)
"""Public id of a credential; the secret itself is never stored."""

BlobName = NewType("BlobName", str)
"""Generated relative path of a blob, ``/``-separated; never taken from a client."""

HolderId = NewType("HolderId", str)
"""One run of one process: what holds leases. Never reused."""
