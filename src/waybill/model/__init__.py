"""The words of the domain as frozen values: no I/O, no clock, no framework."""
