"""A certificate authority, a seal, a log key and callers for these tests, and letters to attest."""

import ipaddress
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.receipts.evidence import Deadline, Event, Issuer, Part, Party

ORIGIN = "zwrotka.przykladowo.example/2026"
ISSUER = Issuer(office="Urząd Miasta Przykładowo", domain="przykladowo.example", log_origin=ORIGIN)
NOW = datetime(2026, 11, 25, 12, 0, 0, 5000, tzinfo=UTC)
ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier("2.5.4.97")


def pem_of(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """The key as unencrypted PKCS8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Certified:
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """The test city's certificate authority."""

    def __init__(self, name: str = "Test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self._name, self._key, timedelta(days=3650))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        self.certificate = builder.sign(self._key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(Encoding.PEM)

    def seal(self, days: int = 365) -> Certified:
        """An office's seal: no EKU, no SAN."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "PL"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, ISSUER.office),
                x509.NameAttribute(ORGANIZATION_IDENTIFIER, "VATPL-5260000000"),
                x509.NameAttribute(NameOID.COMMON_NAME, ISSUER.office),
            ]
        )
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(subject, key, timedelta(days=days))
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        return Certified(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM), pem_of(key))

    def caller(self, path: str) -> Certified:
        """A certificate for mutual TLS that names spiffe://przykladowo.example/<path>."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, path)])
        names: list[x509.GeneralName] = [
            x509.UniformResourceIdentifier(f"spiffe://przykladowo.example/{path}"),
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        builder = self._builder(subject, key, timedelta(days=365))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Certified(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM), pem_of(key))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, lifetime: timedelta
    ) -> x509.CertificateBuilder:
        today = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(today, today + lifetime) - timedelta(days=1))
            .not_valid_after(today + lifetime)
        )


def make_home(home: Path, authority: Authority) -> Path:
    """A home with what receipts needs of it, and certificates of those who call it."""
    for folder in ("keys", "data", "certificates/units"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    seal = authority.seal()
    (home / "keys/seal.pem").write_bytes(seal.certificate)
    (home / "keys/seal.key").write_bytes(seal.key)
    (home / "keys/log.key").write_bytes(pem_of(ed25519.Ed25519PrivateKey.generate()))
    for folder in ("certificates", "certificates/units"):
        (home / folder / "ca.pem").write_bytes(authority.pem)
    callers = {name: f"service/{name}" for name in ("identity", "mailbox", "receipts", "frontdoor")}
    for name, path in {**callers, "units/SO": "unit/SO"}.items():
        caller = authority.caller(path)
        (home / f"certificates/{name}.pem").write_bytes(caller.certificate)
        (home / f"certificates/{name}.key").write_bytes(caller.key)
    return home


def event(number: int = 1, **changes: Any) -> Event:
    """A resident's letter, accepted."""
    values: dict[str, Any] = {
        "evidence_id": str(uuid.UUID(int=number)),
        "kind": "SubmissionAcceptance",
        "occurred_at": NOW,
        "submitted_at": NOW,
        "message_id": f"ZW-TEST-{number:04d}",
        "sender": Party("urn:uuid:6f2c1c52-94b1-4e5e-8f0e-3c1f5c0a7d11", "profile"),
        "recipient": Party("spiffe://przykladowo.example/unit/SO", "unit", "Referat Spraw Obywatelskich"),
        "parts": (
            Part("letter.eml", "message/rfc822", bytes(32)),
            Part("1", "text/plain", bytes(range(32))),
        ),
        "channel": "smtp",
        "facts": (("client-host", "mail.example [192.0.2.1]"), ("dkim", "pass d=example.org")),
        "deadline": Deadline("art. 35 § 3 k.p.a.", "2026-11-25", "2026-12-28"),
        "unit": "SO",
    }
    return Event(**{**values, **changes})


def _usage(**true: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: true.get(name, False) for name in names})
