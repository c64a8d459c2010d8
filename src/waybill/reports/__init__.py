"""Views of a job's records for people and machines, written as streams."""
