"""Empty files to be filled in for an entity: CSV with the header, XLSX with types and rules."""
