"""Zwrotka beside Postfix and bare aiosmtpd, in the same run, turn by turn."""
