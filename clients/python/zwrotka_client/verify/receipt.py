"""All checks of a receipt, in order, each a small step that holds or says why it does not."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from . import certificate, evidence, plain
from .proof import Proof, must_attest, must_be_included, must_be_of_log, parse_proof, signed_checkpoint
from .seal import Seal
from .verdict import Check, Facts, Refused, Verdict

T = TypeVar("T")


def verify_receipt(
    xml: bytes, proof: bytes | None, *, ca_pem: bytes, log_key: str, parts: Mapping[str, bytes] | None = None
) -> Verdict:
    """Whether `dowod-<id>.xml` is a receipt that the office sealed and its log holds. Offline; never raises.

    `proof` is `dowod-<id>.tlog-proof`; a receipt without it does not pass. `ca_pem` is the certificate of the
    city's authority (or several, over the years) and `log_key` the log's verifier key string (or one a line).
    `parts` are files said to have been in the letter, by name: each must be attested.
    """
    steps = _Steps()
    try:
        facts = _sealed(steps, xml, ca_pem)
    except Refused:
        return Verdict(tuple(steps.checks), None)
    with suppress(Refused):  # the seal holds all the same: say what it stands behind, and whether it attests the files
        facts = _logged(steps, xml, proof, log_key, facts)
    for name, content in (parts or {}).items():
        steps.note("part-attested", *_attestation(facts, name, content))
    return Verdict(tuple(steps.checks), facts)


class _Steps:
    """The checks made so far."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def note(self, name: str, passed: bool, detail: str) -> None:
        self.checks.append(Check(name, passed, detail))

    def make(self, name: str, holds: str, step: Callable[..., T], *given: object) -> T:
        """Makes a check that others rest on: its refusal is noted and ends them."""
        try:
            result = step(*given)
        except Refused as refused:
            self.note(name, False, str(refused))
            raise
        self.note(name, True, holds)
        return result


def _sealed(steps: _Steps, xml: bytes, ca_pem: bytes) -> Facts:
    root = steps.make("well-formed-and-plain", "The file is small and plain XML.", plain.parse, xml)
    facts = steps.make("shape", "It has exactly the elements of a receipt.", evidence.read, root)
    seal = steps.make("signature-structure", "The seal is built as the office builds it.", Seal, root)
    sealer = steps.make("one-certificate", "The seal names one certificate and carries just that.", seal.certificate)
    steps.make(
        "spelling", "It is written in the one spelling receipts have.", plain.must_be_spelled_as_issued, xml, root
    )
    key = steps.make(
        "seal-certificate",
        "The certificate is the office's seal, issued by the city's authority and valid when it was used.",
        certificate.must_be_seal,
        sealer,
        ca_pem,
        seal.signed_at,
    )
    steps.make("digests", "Nothing was changed since it was sealed.", seal.must_cover_everything)
    steps.make("signature", "The seal was made by the office's key.", seal.must_be_signed_with, key)
    steps.make("signing-time", "It was sealed after the event it attests.", seal.must_not_precede, facts.event_at)
    return facts


def _logged(steps: _Steps, xml: bytes, given: bytes | None, log_key: str, facts: Facts) -> Facts:
    read = steps.make("log-proof", "The proof is a file of the right form.", _parse_given, given)
    checkpoint, signer = steps.make(
        "checkpoint-signature",
        "The state of the log is signed by the log's key.",
        signed_checkpoint,
        read.note,
        log_key,
    )
    steps.make(
        "log-origin",
        "It is the log that the receipt names.",
        must_be_of_log,
        facts.log_origin,
        checkpoint.origin,
        signer,
    )
    steps.make(
        "log-entry",
        "The log's entry was written for this very file.",
        must_attest,
        read.entry,
        xml,
        facts.event,
        evidence.time_text(facts.event_at),
    )
    steps.make("inclusion", "The entry stands in the log.", must_be_included, read, checkpoint)
    return replace(facts, log_index=read.index, log_size=checkpoint.size)


def _parse_given(given: bytes | None) -> Proof:
    if given is None:
        raise Refused("No proof was given; it came with the receipt, in the file whose name ends in .tlog-proof.")
    return parse_proof(given)


def _attestation(facts: Facts, name: str, content: bytes) -> tuple[bool, str]:
    """Whether a file is one of the letter's parts, and a sentence that says so."""
    sha256 = hashlib.sha256(content).hexdigest()
    for part in facts.parts:
        if part.sha256 == sha256:
            return True, f"The file {name} is part {part.identifier} of the letter."
    return False, f"The file {name} is no part of the letter, or was changed: the receipt does not list its SHA-256."
