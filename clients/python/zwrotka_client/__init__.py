"""A city unit's client: send, watch, take and answer letters, and check receipts without trusting anyone."""
