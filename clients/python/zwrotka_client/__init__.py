"""A city unit's client: send, watch, take and answer letters, and check receipts without trusting anyone."""

from zwrotka_client.desk import Desk
from zwrotka_client.errors import AlreadyExists, Forbidden, Invalid, NotFound, Refusal, Unauthenticated, Unavailable
from zwrotka_client.letters import Acceptance, Letter, Part, Receipt, State, WholeLetter
from zwrotka_client.message import Attachment, new_key
from zwrotka_client.unit import Unit

__all__ = [
    "Acceptance",
    "AlreadyExists",
    "Attachment",
    "Desk",
    "Forbidden",
    "Invalid",
    "Letter",
    "NotFound",
    "Part",
    "Receipt",
    "Refusal",
    "State",
    "Unauthenticated",
    "Unavailable",
    "Unit",
    "WholeLetter",
    "new_key",
]
