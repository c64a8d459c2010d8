"""Contract suites for those who write a sink or a store; public."""
