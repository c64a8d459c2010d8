"""Check rows against an entity: schema to SQL over Arrow, positions, the catalogue of findings."""
