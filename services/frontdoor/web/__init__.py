"""The web door: explains the service, checks receipts, serves the public log. It keeps nothing and decides nothing."""
