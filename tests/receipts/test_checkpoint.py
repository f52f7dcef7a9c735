"""Notes are those of C2SP, and openssl alone can check them."""

import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.receipts.checkpoint import Checkpoint, LogKey
from tests.receipts import people, proofs

KEY = LogKey(people.ORIGIN, people.pem_of(Ed25519PrivateKey.generate()))
CHECKPOINT = Checkpoint(70_000, bytes(range(32)))


def test_the_verifier_key_is_written_as_gos_note_package_writes_it() -> None:
    # The key pair of golang.org/x/mod/sumdb/note's documentation.
    seed = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    key = LogKey("PeterNeumann", people.pem_of(Ed25519PrivateKey.from_private_bytes(seed)))
    assert key.verifier == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_checkpoint_opens_to_what_was_signed() -> None:
    note = KEY.signed(CHECKPOINT)
    assert KEY.opened(note) == CHECKPOINT
    read = proofs.open_note(note, KEY.verifier)
    assert (read.size, read.root) == (CHECKPOINT.size, CHECKPOINT.root)


def test_openssl_verifies_the_note(tmp_path: Path) -> None:
    read = proofs.open_note(KEY.signed(CHECKPOINT), KEY.verifier)
    public = Ed25519PublicKey.from_public_bytes(b64decode(KEY.verifier.split("+", 2)[2])[1:])
    (tmp_path / "log.pub").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "note.txt").write_bytes(read.text)
    (tmp_path / "note.sig").write_bytes(read.signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "log.pub", "-rawin", "-in", "note.txt"]
    command += ["-sigfile", "note.sig"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.strip() == "Signature Verified Successfully"
    (tmp_path / "note.txt").write_bytes(read.text.replace(b"70000", b"70001"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=20, check=False).returncode != 0


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"70000", b"70001"),
        lambda note: note.replace(people.ORIGIN.encode(), b"elsewhere.example/2026"),
        lambda note: note[:-3] + b"=\n",
        lambda note: note.split(b"\n\n")[0],
        lambda _: b"",
    ],
)
def test_a_note_that_is_not_this_logs_does_not_open(change: object) -> None:
    assert callable(change)
    with pytest.raises(ValueError):  # noqa: PT011
        KEY.opened(change(KEY.signed(CHECKPOINT)))


def test_a_log_needs_an_ed25519_key_and_a_name_that_notes_allow() -> None:
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        LogKey(people.ORIGIN, people.pem_of(ec.generate_private_key(ec.SECP256R1())))
    pem = people.pem_of(Ed25519PrivateKey.generate())
    for origin in ("", "two words", "a+b", "line\nbreak"):
        with pytest.raises(ValueError, match="origin"):
            LogKey(origin, pem)
