"""What this server asks of others, under the operator's rules."""
