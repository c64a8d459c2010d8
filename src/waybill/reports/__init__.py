"""Views of a job's records for people and machines: JSON, CSV, XLSX, written as streams."""
