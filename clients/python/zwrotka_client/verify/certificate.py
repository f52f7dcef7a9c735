"""Whether a certificate is the office's seal: issued by the city's authority for sealing, and for nothing else.

The same authority issues the certificates of services and units, whose keys must not be able to seal. Only the
authorities handed in are trusted, never the system's.
"""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from .verdict import Refused


def parse(der: bytes) -> x509.Certificate:
    """A certificate with all of it read, so that nothing malformed comes up later."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Parsed when first asked for, and kept.
        _ = (certificate.extensions, certificate.issuer, certificate.public_key(), certificate.not_valid_after_utc)
    except Exception as error:  # the list of what malformed DER can raise is not closed
        raise Refused("The certificate in the file cannot be read.") from error
    return certificate


def must_be_seal(certificate: x509.Certificate, ca_pem: bytes, signed_at: datetime) -> ec.EllipticCurvePublicKey:
    """The seal's public key; refused unless the certificate is a seal's and was valid at `signed_at`."""
    authority = _issuer(certificate, ca_pem)
    for each, name in ((certificate, "The seal's certificate"), (authority, "The authority's certificate")):
        if not each.not_valid_before_utc <= signed_at <= each.not_valid_after_utc:
            raise Refused(f"{name} was not valid when the receipt was sealed.")
    extensions = {extension.oid: extension.value for extension in certificate.extensions}
    for oid, sentence in (
        (ExtensionOID.SUBJECT_ALTERNATIVE_NAME, "The certificate names a service or a unit, not the seal."),
        (ExtensionOID.EXTENDED_KEY_USAGE, "The certificate is for another use than sealing."),
    ):
        if oid in extensions:
            raise Refused(sentence)
    if extensions.get(ExtensionOID.KEY_USAGE) != _SEALING:
        raise Refused("The certificate's key usage is not that of a seal: digital signature and non-repudiation.")
    if any(extension.critical and extension.oid not in _KNOWN for extension in certificate.extensions):
        raise Refused("The certificate has a critical extension that is not known here (RFC 5280 §4.2).")
    constraints = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    if isinstance(constraints, x509.BasicConstraints) and constraints.ca:
        raise Refused("The certificate is an authority's, not a seal's.")
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Refused("The seal's key is not a P-256 key.")
    return key


_KNOWN = (ExtensionOID.KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS)
_SEALING = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,  # non-repudiation, in RFC 5280's older word
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _issuer(certificate: x509.Certificate, ca_pem: bytes) -> x509.Certificate:
    """The authority that signed the certificate, among those handed in."""
    try:
        authorities = x509.load_pem_x509_certificates(ca_pem)
    except ValueError as error:
        raise Refused("The city's CA file holds no certificate that can be read.") from error
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
            usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
            constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
            continue  # another authority, perhaps of the same name
        if usage.key_cert_sign and constraints.ca:
            return authority
    raise Refused("The certificate was not issued by the city's authority.")
