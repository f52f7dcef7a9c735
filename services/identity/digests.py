"""Keyed digests: what must be recognized again without being kept, or found without being read."""

import hmac


def digest(pepper: bytes, use: str, text: str) -> bytes:
    """HMAC-SHA256 (RFC 2104), 32 bytes. `use` keeps apart what is digested for different uses."""
    return hmac.digest(pepper, f"{use}\0{text}".encode(), "sha256")
