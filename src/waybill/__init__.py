"""Waybill: a self-hosted job server for bulk imports and exports."""

__version__ = "0.1.0"
