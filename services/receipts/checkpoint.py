"""The log's texts as C2SP writes them: signed-note, tlog-checkpoint, tlog-proof."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_ED25519 = b"\x01"


@dataclass(frozen=True)
class Checkpoint:
    """How large the log is, and its root hash then."""

    size: int
    root: bytes


class LogKey:
    """The log's Ed25519 key under its origin. It is the only thing that can say how the log stands."""

    def __init__(self, origin: str, key_pem: bytes) -> None:
        """ValueError, with a sentence, where there is no such key or origin."""
        key = load_pem_private_key(key_pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the log's key is not an Ed25519 key")
        if not origin.isprintable() or not origin or any(each.isspace() or each == "+" for each in origin):
            raise ValueError("the log's origin is not a name without spaces and plus signs")
        self._origin = origin
        self._key = key
        self._public = _ED25519 + key.public_key().public_bytes_raw()
        self._id = hashlib.sha256(origin.encode() + b"\n" + self._public).digest()[:4]

    @property
    def verifier(self) -> str:
        """The key as verifiers are told it: name, key id, public key."""
        return f"{self._origin}+{self._id.hex()}+{b64encode(self._public).decode()}"

    def signed(self, checkpoint: Checkpoint) -> bytes:
        """The checkpoint as a signed note."""
        text = f"{self._origin}\n{checkpoint.size}\n{b64encode(checkpoint.root).decode()}\n"
        signature = b64encode(self._id + self._key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self._origin} {signature}\n".encode()

    def opened(self, note: bytes) -> Checkpoint:
        """The checkpoint in a note this key has signed; ValueError if it has not."""
        text, _, signature = note.decode().partition("\n\n")
        origin, size, root = text.split("\n")
        dash, name, value = signature.removesuffix("\n").split(" ")
        if (dash, name, origin) != ("\u2014", self._origin, self._origin):
            raise ValueError("the log kept here has another origin")
        signed = b64decode(value)
        try:
            self._key.public_key().verify(signed[4:], f"{text}\n".encode())
        except InvalidSignature as error:
            raise ValueError("the log kept here was signed by another key") from error
        return Checkpoint(int(size), b64decode(root))


def proof(entry: bytes, index: int, path: Sequence[bytes], note: bytes) -> bytes:
    """dowod-<id>.tlog-proof: the entry, its place, the way to the root, and the checkpoint."""
    hashes = "".join(f"{b64encode(each).decode()}\n" for each in path)
    head = f"c2sp.org/tlog-proof@v1\nextra {b64encode(entry).decode()}\nindex {index}\n{hashes}\n"
    return head.encode() + note
