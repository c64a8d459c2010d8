"""What a run of each kind of job does, phase by phase."""
