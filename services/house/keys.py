"""Secrets that are not certificates: identity's pepper, the log's key, passwords."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.city import City
from services.house.certificates import pem_of
from services.house.files import write

_ED25519 = b"\x01"  # c2sp.org/signed-note: signature type of a log's key


def make(home: Path, city: City) -> None:
    """Makes what is missing."""
    folder = home / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    once(folder / "pepper", lambda: secrets.token_bytes(32))
    once(folder / "log.key", lambda: pem_of(Ed25519PrivateKey.generate()))
    if not (folder / "log.vkey").exists():
        key = serialization.load_pem_private_key((folder / "log.key").read_bytes(), password=None)
        public_key = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        write(folder / "log.vkey", f"{verifier_key(city.log_origin, public_key)}\n".encode())


def verifier_key(name: str, public_key: bytes) -> str:
    """A log's public key as c2sp.org/signed-note writes it: name, key id, type and key."""
    key_id = hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(_ED25519 + public_key).decode()}"


def password(path: Path) -> str:
    """The password kept in a file, made on first use."""
    return once(path, lambda: secrets.token_hex(16).encode()).decode()


def once(path: Path, make_content: Callable[[], bytes]) -> bytes:
    """The secret kept in a file, made on first use and never again."""
    if not path.exists():
        write(path, make_content(), mode=0o600)
    return path.read_bytes()
