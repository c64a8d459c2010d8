"""What a sink notes of jobs and chunks in SQLite: for the embedded sink, and for others' own."""
