"""What the core needs from outside, as Protocols; adapters satisfy them without inheriting."""
