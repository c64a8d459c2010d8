"""Databases of jobs, one folder each."""
