"""Everything needed to make receipts that are wrong in one chosen way: keys that are public, a sealer that seals
anything, a log that logs anything.

It shares no code with the office's sealer: it digests what an XML library canonicalizes, in the place where it stands.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from lxml import etree

OFFICE = "Urząd Miasta Przykładowo"
ORIGIN = "zwrotka.przykladowo.example/2026"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
C14N11 = "http://www.w3.org/2006/12/xml-c14n11"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
ECDSA_SHA1 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
_EV = "{http://uri.etsi.org/19522/v1#}"
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
P256 = ec.SECP256R1()
SEALING = ("digital_signature", "content_commitment")


def public_key_pair(name: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    """A test key that anyone can make again from its name: it protects nothing."""
    secret = int.from_bytes(hashlib.sha256(f"zwrotka test key, public: {name}".encode()).digest())
    return ec.derive_private_key(secret, curve)


@dataclass(frozen=True)
class Holder:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def certified(
    name: str,
    issuer: Holder | None,
    *,
    key: str = "",
    uses: Sequence[str] = SEALING,
    others: Sequence[x509.ExtensionType] = (),
    critical: Sequence[x509.ExtensionType] = (),
    years: tuple[int, int] = (2020, 2120),
    authority: bool = False,
    curve: ec.EllipticCurve = P256,
) -> Holder:
    """A certificate for `name`, by `issuer` or, for an authority, by itself; valid between two New Years."""
    pair = public_key_pair(key or name, curve)
    subject = _named(name)
    extensions: list[x509.ExtensionType] = [
        x509.BasicConstraints(ca=authority, path_length=None),
        x509.KeyUsage(**{use: use in uses for use in _USES}),
        *critical,
    ]
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer.certificate.subject if issuer else subject,
        public_key=pair.public_key(),
        serial_number=int.from_bytes(hashlib.sha256(f"{name} {key} {years}".encode()).digest()[:8]) >> 1,
        not_valid_before=datetime(years[0], 1, 1, tzinfo=UTC),
        not_valid_after=datetime(years[1], 1, 1, tzinfo=UTC),
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    for extension in others:
        builder = builder.add_extension(extension, critical=False)
    signer = issuer.key if issuer else pair
    return Holder(pair, builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True))


def _named(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, OFFICE), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


CA = certified("Test CA", None, uses=("key_cert_sign", "crl_sign"), authority=True)
SEAL = certified(OFFICE, CA, key="seal")
_TLS = (
    x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
    x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://przykladowo.example/unit/SO")]),
)
UNIT = certified("SO", CA, uses=("digital_signature",), others=_TLS)


@dataclass(frozen=True)
class Reference:
    """A ds:Reference as it shall be written; its digest is computed."""

    uri: str
    attributes: str = ""
    transforms: tuple[str, ...] = (C14N11,)
    digest: str = SHA256


EVIDENCE = Reference("", 'Id="evidence" ', (ENVELOPED, C14N11))
PROPERTIES = Reference("#seal-properties", 'Type="http://uri.etsi.org/01903#SignedProperties" ')
KEY_INFO = Reference("#seal-key")


@dataclass(frozen=True)
class Sealer:
    """How to seal. Without arguments: as the office does."""

    holder: Holder = SEAL
    certificates: Sequence[bytes] = ()
    names: bytes = b""  # the certificate that SigningCertificateV2 names
    signed_at: str = "2026-11-25T12:00:01.000Z"
    references: Sequence[Reference] = field(default=(EVIDENCE, PROPERTIES, KEY_INFO))
    method: str = ECDSA_SHA256
    c14n: str = C14N11
    key_info: str = ""  # written before X509Data
    before: str = ""  # written before SignedProperties
    objects: str = ""  # written after ds:Object

    def sealed(self, evidence: str) -> bytes:
        """The file."""
        end = "</ev:Evidence>"
        root = etree.fromstring((evidence.removesuffix(end) + self._signature() + end).encode())
        seal = root[-1]
        for reference in seal.iter(f"{DS}Reference"):
            value = reference.find(f"{DS}DigestValue")
            assert value is not None
            value.text = b64encode(_digest_of(reference, root, seal)).decode()
        signed_info, signature_value = list(seal)[:2]
        algorithm = hashes.SHA1() if self.method == ECDSA_SHA1 else hashes.SHA256()  # noqa: S303 - to be refused
        signature = self.holder.key.sign(
            _canonical(signed_info, self.c14n), ec.ECDSA(algorithm, deterministic_signing=True)
        )
        r, s = decode_dss_signature(signature)
        signature_value.text = b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()
        return file_of(root)

    def _signature(self) -> str:
        certificates = "".join(
            f"<ds:X509Certificate>{b64encode(der).decode()}</ds:X509Certificate>"
            for der in self.certificates or [self.holder.der]
        )
        named = b64encode(hashlib.sha256(self.names or self.holder.der).digest()).decode()
        references = "".join(map(_reference, self.references))
        return (
            f'<ds:Signature Id="seal"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{self.c14n}"/>'
            f'<ds:SignatureMethod Algorithm="{self.method}"/>{references}</ds:SignedInfo><ds:SignatureValue/>'
            f'<ds:KeyInfo Id="seal-key">{self.key_info}<ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>'
            f'<ds:Object><xades:QualifyingProperties Target="#seal">{self.before}'
            f'<xades:SignedProperties Id="seal-properties"><xades:SignedSignatureProperties>'
            f"<xades:SigningTime>{self.signed_at}</xades:SigningTime><xades:SigningCertificateV2><xades:Cert>"
            f'<xades:CertDigest><ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{named}</ds:DigestValue>'
            f"</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>"
            f'<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#evidence">'
            f"<xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>"
            f"</xades:SignedProperties></xades:QualifyingProperties></ds:Object>{self.objects}</ds:Signature>"
        )


def file_of(root: etree._Element) -> bytes:
    """The file in the spelling in which receipts are issued."""
    return DECLARATION.encode() + etree.tostring(root, method="c14n") + b"\n"


def _reference(reference: Reference) -> str:
    # The one XPath that is used hides the recipient.
    hidden = "<ds:XPath>not(ancestor-or-self::ev:RecipientDetails)</ds:XPath>"
    transforms = "".join(
        f'<ds:Transform Algorithm="{each}">{hidden if each == XPATH else ""}</ds:Transform>'
        for each in reference.transforms
    )
    return (
        f'<ds:Reference {reference.attributes}URI="{reference.uri}"><ds:Transforms>{transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{reference.digest}"/><ds:DigestValue/></ds:Reference>'
    )


def _digest_of(reference: etree._Element, root: etree._Element, seal: etree._Element) -> bytes:
    uri = reference.get("URI", "")
    transforms = [str(each.get("Algorithm")) for each in reference.iter(f"{DS}Transform")]
    target = next(each for each in root.iter() if each.get("Id") == uri[1:]) if uri else root
    content = etree.fromstring(_canonical(target, C14N11)) if not uri else target
    if ENVELOPED in transforms:
        content.remove(content[list(root).index(seal)])
    if XPATH in transforms:
        for hidden in content.findall(f"{_EV}RecipientDetails"):
            before = hidden.getprevious()
            assert before is not None
            before.tail = (before.tail or "") + (hidden.tail or "")
            content.remove(hidden)
    method = reference.find(f"{DS}DigestMethod")
    assert method is not None
    algorithm = hashlib.sha1 if method.get("Algorithm") == SHA1 else hashlib.sha256
    return algorithm(_canonical(content, transforms[-1])).digest()


def _canonical(element: etree._Element, algorithm: str) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=algorithm == EXCLUSIVE)


@dataclass(frozen=True)
class Log:
    """A log of seven entries, ours the fifth. Without arguments: as the office keeps it."""

    key: str = "log"
    origin: str = ORIGIN
    name: str = ORIGIN
    index: int = 4
    size: int = 7

    @property
    def verifier_key(self) -> str:
        """The log's public key, c2sp.org/signed-note."""
        return f"{self.name}+{self._key_id.hex()}+{b64encode(self._typed).decode()}"

    def entry(self, xml: bytes, event: str = "SubmissionAcceptance", time: str = "2026-11-25T12:00:00.000Z") -> bytes:
        """The entry for a receipt."""
        number = hashlib.sha256(b"number").hexdigest()
        return f"zwrotka-leaf/v1\n{event}\n{time}\n{hashlib.sha256(xml).hexdigest()}\n{number}\nSO\n".encode()

    def proof(self, entry: bytes) -> bytes:
        """The proof for an entry, c2sp.org/tlog-proof@v1."""
        leaves = [_leaf(f"entry {number}".encode()) for number in range(self.size)]
        leaves[self.index] = _leaf(entry)
        path = "".join(f"{b64encode(each).decode()}\n" for each in path_of(self.index, leaves))
        return (
            f"c2sp.org/tlog-proof@v1\nextra {b64encode(entry).decode()}\nindex {self.index}\n{path}\n"
            f"{self.note(root_of(leaves))}"
        ).encode()

    def note(self, root: bytes) -> str:
        """The checkpoint, c2sp.org/tlog-checkpoint."""
        text = f"{self.origin}\n{self.size}\n{b64encode(root).decode()}\n"
        signature = b64encode(self._key_id + self._private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"test key, public: {self.key}".encode()).digest())

    @property
    def _typed(self) -> bytes:
        return b"\x01" + self._private.public_key().public_bytes_raw()

    @property
    def _key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed).digest()[:4]


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1 over leaf hashes, as its recursion is written."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    middle = _middle(leaves)
    return hashlib.sha256(b"\x01" + root_of(leaves[:middle]) + root_of(leaves[middle:])).digest()


def path_of(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) < 2:
        return []
    middle = _middle(leaves)
    if index < middle:
        return [*path_of(index, leaves[:middle]), root_of(leaves[middle:])]
    return [*path_of(index - middle, leaves[middle:]), root_of(leaves[:middle])]


def consistency_of(size: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF of RFC 6962 §2.1.2."""
    if size == len(leaves):
        return [] if whole else [root_of(leaves)]
    middle = _middle(leaves)
    if size <= middle:
        return [*consistency_of(size, leaves[:middle], whole=whole), root_of(leaves[middle:])]
    return [*consistency_of(size - middle, leaves[middle:], whole=False), root_of(leaves[:middle])]


def _middle(leaves: Sequence[bytes]) -> int:
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return middle
