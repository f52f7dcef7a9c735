"""Mailbox: rules first, then the room as a whole."""
