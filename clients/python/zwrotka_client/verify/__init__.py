"""Checks receipts offline, trusting nothing but the city's CA certificate and the log's public key.

Stricter than stock tools on purpose: whatever is not exactly as receipts are issued is refused.
"""

from .merkle import leaf_hash, node_hash, root_from_inclusion, verify_consistency
from .note import parse_checkpoint, parse_key, parse_note, verify_note
from .receipt import verify_receipt
from .verdict import Check, Deadline, Facts, Part, Refused, Verdict

__all__ = [
    "Check",
    "Deadline",
    "Facts",
    "Part",
    "Refused",
    "Verdict",
    "leaf_hash",
    "node_hash",
    "parse_checkpoint",
    "parse_key",
    "parse_note",
    "root_from_inclusion",
    "verify_consistency",
    "verify_note",
    "verify_receipt",
]
