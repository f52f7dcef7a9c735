"""The development city's certificates: a small CA, one certificate for each service and unit, and the office's seal."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.chassis.city import City
from services.house.files import write

SERVICES = ("identity", "mailbox", "receipts", "frontdoor")
Extensions = Sequence[tuple[x509.ExtensionType, bool]]
_YEAR = timedelta(days=365)
_USES = (
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
_SERVER_AND_CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def issue(home: Path, city: City) -> None:
    """Issues what is missing. Of each pair the key is written first: where a certificate stands, its key does too."""
    folder = home / "certificates"
    (folder / "units").mkdir(parents=True, exist_ok=True)
    authority = Authority(folder, city)
    for service in SERVICES:
        names = [
            x509.UniformResourceIdentifier(city.spiffe_of_service(service)),
            x509.DNSName("localhost"),
            x509.DNSName(service),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        authority.issue(folder / f"{service}.pem", _named(city, service), _for_tls(names, _SERVER_AND_CLIENT))
    for code in city.units:
        names = [x509.UniformResourceIdentifier(city.spiffe_of_unit(code))]
        authority.issue(
            folder / "units" / f"{code}.pem", _named(city, code), _for_tls(names, [ExtendedKeyUsageOID.CLIENT_AUTH])
        )
    units_ca = folder / "units" / "ca.pem"
    if not units_ca.exists():
        write(units_ca, (folder / "ca.pem").read_bytes())


def issue_seal(home: Path, city: City) -> None:
    """Issues the office's seal (EN 319 412-3): a legal person's certificate, for signatures and nothing else."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "PL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, city.office),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, "VATPL-0000000000"),
            x509.NameAttribute(NameOID.COMMON_NAME, city.office),
        ]
    )
    usage = _usage("digital_signature", "content_commitment")
    authority = Authority(home / "certificates", city)
    authority.issue(home / "keys" / "seal.pem", subject, [(usage, True)], years=10)


class Authority:
    """The city's CA, made on first use."""

    def __init__(self, folder: Path, city: City) -> None:
        path = folder / "ca.pem"
        if not path.exists():
            key = _new_key(path.with_suffix(".key"))
            subject = _named(city, "Zwrotka CA")
            extensions: Extensions = [
                (x509.BasicConstraints(ca=True, path_length=0), True),
                (_usage("key_cert_sign", "crl_sign"), True),
            ]
            write(path, _signed(subject, subject, key.public_key(), key, extensions, years=20))
        self._certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key_bytes = path.with_suffix(".key").read_bytes()
        self._key = serialization.load_pem_private_key(key_bytes, password=None)

    def issue(self, path: Path, subject: x509.Name, extensions: Extensions, *, years: int = 5) -> None:
        """Writes a new key and its certificate, unless there is one."""
        if path.exists():
            return
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        key = _new_key(path.with_suffix(".key"))
        ends: Extensions = [(x509.BasicConstraints(ca=False, path_length=None), True), *extensions]
        write(path, _signed(subject, self._certificate.subject, key.public_key(), self._key, ends, years=years))


def _named(city: City, name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, city.office), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _for_tls(names: Sequence[x509.GeneralName], uses: Sequence[x509.ObjectIdentifier]) -> Extensions:
    return [
        (_usage("digital_signature"), True),
        (x509.ExtendedKeyUsage(uses), False),
        (x509.SubjectAlternativeName(names), False),
    ]


def _usage(*named: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in named for use in _USES})


def _new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    write(path, pem_of(key), mode=0o600)
    return key


def pem_of(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    """A private key as unencrypted PKCS #8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: Extensions,
    *,
    years: int,
) -> bytes:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + years * _YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
