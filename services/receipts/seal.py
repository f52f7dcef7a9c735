"""XAdES-B-B (EN 319 132-1): an enveloped seal, written as canonical bytes like the evidence it goes into.

Three references, each digested as C14N 1.1: the evidence without the seal, the signed properties, and KeyInfo with
exactly one certificate (three certificates fool xmlsec1). Everything that does not change from seal to seal, KeyInfo
and its digest among it, is made once.
"""

import hashlib
from base64 import b64encode
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from services.chassis.errors import Unavailable
from services.receipts.evidence import END, NAMESPACES, SHA256, time_text

_C14N = "http://www.w3.org/2006/12/xml-c14n11"
_ECDSA = ec.ECDSA(hashes.SHA256())
_METHODS = (
    f'<ds:CanonicalizationMethod Algorithm="{_C14N}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod>'
)
_TO_EVIDENCE = ' Id="evidence" URI=""'
_TO_PROPERTIES = ' Type="http://uri.etsi.org/01903#SignedProperties" URI="#seal-properties"'
_TO_KEY = ' URI="#seal-key"'
_ENVELOPED = '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'


class Seal:
    """The office's seal: a P-256 key and its certificate, parsed once (parsing costs more than sealing)."""

    def __init__(self, certificate_pem: bytes, key_pem: bytes) -> None:
        """ValueError, with a sentence, where the two are not a pair that can seal."""
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = load_pem_private_key(key_pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("the seal's key is not a P-256 key")
        if certificate.public_key() != key.public_key():
            raise ValueError("the seal's certificate belongs to another key")
        self._key = key
        self._valid_from = certificate.not_valid_before_utc
        self._valid_until = certificate.not_valid_after_utc
        der = certificate.public_bytes(Encoding.DER)
        self._key_info = (
            f'Id="seal-key"><ds:X509Data><ds:X509Certificate>{b64encode(der).decode()}</ds:X509Certificate>'
            f"</ds:X509Data></ds:KeyInfo>"
        )
        self._key_reference = _reference(f"<ds:KeyInfo{NAMESPACES} {self._key_info}", _TO_KEY)
        self._certificate_digest = f"{SHA256}<ds:DigestValue>{_digest(der)}</ds:DigestValue>"

    def must_be_valid(self, now: datetime) -> None:
        """Raises Unavailable where the certificate is not valid: what it sealed now would prove nothing."""
        if not self._valid_from <= now <= self._valid_until:
            raise Unavailable(
                "seal-not-valid",
                f"The office's seal is valid from {self._valid_from:%Y-%m-%d} to {self._valid_until:%Y-%m-%d} only. "
                "No receipt was made; put a valid certificate and key in place and restart receipts.",
            )

    def sealed(self, evidence: str, now: datetime) -> bytes:
        """The evidence as the file `dowod-<id>.xml`: sealed, with XML declaration, immutable from here on."""
        properties = (
            f'Id="seal-properties"><xades:SignedSignatureProperties><xades:SigningTime>{time_text(now)}'
            f"</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>{self._certificate_digest}"
            f"</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>"
            f'<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#evidence">'
            f"<xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>"
            f"</xades:SignedProperties>"
        )
        signed_info = (
            f">{_METHODS}{_reference(evidence, _TO_EVIDENCE, _ENVELOPED)}"
            f"{_reference(f'<xades:SignedProperties{NAMESPACES} {properties}', _TO_PROPERTIES)}"
            f"{self._key_reference}</ds:SignedInfo>"
        )
        signature = self._key.sign(f"<ds:SignedInfo{NAMESPACES}{signed_info}".encode(), _ECDSA)
        r, s = decode_dss_signature(signature)
        value = b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
        # Directly before the root's end tag: what the enveloped-signature transform leaves is the evidence again.
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n{evidence.removesuffix(END)}'
            f'<ds:Signature Id="seal"><ds:SignedInfo{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue>'
            f'<ds:KeyInfo {self._key_info}<ds:Object><xades:QualifyingProperties Target="#seal">'
            f"<xades:SignedProperties {properties}</xades:QualifyingProperties></ds:Object></ds:Signature>{END}\n"
        ).encode()


def _digest(data: bytes) -> str:
    return b64encode(hashlib.sha256(data).digest()).decode()


def _reference(canonical: str, attributes: str, transform: str = "") -> str:
    """`canonical` is the referenced element as C14N 1.1 sees it alone: with its ancestors' namespaces on it."""
    return (
        f"<ds:Reference{attributes}><ds:Transforms>{transform}"
        f'<ds:Transform Algorithm="{_C14N}"></ds:Transform></ds:Transforms>{SHA256}'
        f"<ds:DigestValue>{_digest(canonical.encode())}</ds:DigestValue></ds:Reference>"
    )
