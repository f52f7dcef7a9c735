"""The seal: XAdES-B-B (EN 319 132-1), enveloped, in exactly the shape in which receipts carry it.

A general verifier follows references, ids and transforms that the file itself chooses, and attacks live there. This
one follows nothing: it knows where each element stands and what each reference must say, and digests those.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from copy import deepcopy
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from . import certificate
from .evidence import DIGEST, DS, SHA256, TIME, moment
from .note import strict_base64
from .plain import canonical
from .shape import Element, must_fit
from .verdict import Refused

CLOCKS_DIFFER = timedelta(minutes=5)
_XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
_C14N = "http://www.w3.org/2006/12/xml-c14n11"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
_R_AND_S = r"[A-Za-z0-9+/]{85}[AQgw]=="  # canonical base64 of 64 bytes, RFC 6931 §2.3.6


def _algorithm(name: str, algorithm: str) -> Element:
    return Element(DS + name, attributes={"Algorithm": re.escape(algorithm)})


def _reference(attributes: dict[str, str], *transforms: str) -> Element:
    return Element(
        f"{DS}Reference",
        (
            Element(f"{DS}Transforms", tuple(_algorithm("Transform", each) for each in (*transforms, _C14N))),
            _algorithm("DigestMethod", SHA256),
            Element(f"{DS}DigestValue", text=DIGEST),
        ),
        attributes={name: re.escape(value) for name, value in attributes.items()},
    )


_SIGNED_INFO = Element(
    f"{DS}SignedInfo",
    (
        _algorithm("CanonicalizationMethod", _C14N),
        _algorithm("SignatureMethod", _ECDSA),
        _reference({"Id": "evidence", "URI": ""}, _ENVELOPED),
        _reference({"Type": "http://uri.etsi.org/01903#SignedProperties", "URI": "#seal-properties"}),
        _reference({"URI": "#seal-key"}),
    ),
)
_CERTIFICATE_DIGEST = Element(
    f"{_XADES}CertDigest", (_algorithm("DigestMethod", SHA256), Element(f"{DS}DigestValue", text=DIGEST))
)
_SIGNED_PROPERTIES = Element(
    f"{_XADES}SignedProperties",
    (
        Element(
            f"{_XADES}SignedSignatureProperties",
            (
                Element(f"{_XADES}SigningTime", text=TIME),
                Element(f"{_XADES}SigningCertificateV2", (Element(f"{_XADES}Cert", (_CERTIFICATE_DIGEST,)),)),
            ),
        ),
        Element(
            f"{_XADES}SignedDataObjectProperties",
            (
                Element(
                    f"{_XADES}DataObjectFormat",
                    (Element(f"{_XADES}MimeType", text="text/xml"),),
                    attributes={"ObjectReference": "#evidence"},
                ),
            ),
        ),
    ),
    attributes={"Id": "seal-properties"},
)
_SIGNATURE = Element(
    f"{DS}Signature",
    (
        _SIGNED_INFO,
        Element(f"{DS}SignatureValue", text=_R_AND_S),
        Element(f"{DS}KeyInfo", attributes={"Id": "seal-key"}, opaque=True),
        Element(
            f"{DS}Object",
            (Element(f"{_XADES}QualifyingProperties", (_SIGNED_PROPERTIES,), attributes={"Target": "#seal"}),),
        ),
    ),
    attributes={"Id": "seal"},
)
_KEY_INFO = Element(
    f"{DS}KeyInfo",
    (Element(f"{DS}X509Data", (Element(f"{DS}X509Certificate", text="[A-Za-z0-9+/]+=*"),)),),
    attributes={"Id": "seal-key"},
)


class Seal:
    """The seal of a receipt, its last element. Refused unless it has the shape in which we issue."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._signature = root[-1]
        must_fit(self._signature, _SIGNATURE)
        if self._signature.tail:
            raise Refused("There is text behind the seal.")
        self._signed_info, self._value, self._key_info, holder = self._signature
        self._properties = holder[0][0]
        signing_time, signing_certificate = self._properties[0]
        self.signed_at = moment(signing_time.text or "")
        self._certificate_digest = signing_certificate[0][0][1].text

    def certificate(self) -> x509.Certificate:
        """The one certificate in KeyInfo. Refused where there are more, or another than the seal says it is."""
        if len(self._key_info.findall(f".//{DS}X509Certificate")) > 1:
            raise Refused("The seal carries more than one certificate: which one sealed would be anyone's guess.")
        must_fit(self._key_info, _KEY_INFO)
        try:
            der = strict_base64(self._key_info[0][0].text or "")
        except ValueError as error:
            raise Refused("The certificate in the file is not base64.") from error
        if _digest(der) != self._certificate_digest:
            raise Refused("The certificate in the file is not the one that the seal names (SigningCertificateV2).")
        return certificate.parse(der)

    def must_cover_everything(self) -> None:
        """Refuses where one of the three digests is not that of what stands in the file."""
        evidence = deepcopy(self._root)
        evidence.remove(evidence[-1])
        covered = (
            (evidence, "The receipt was changed after it was sealed."),
            (self._properties, "The seal's time or certificate was changed after the receipt was sealed."),
            (self._key_info, "The seal's key was changed after the receipt was sealed."),
        )
        for (element, sentence), reference in zip(covered, list(self._signed_info)[2:], strict=True):
            if _digest(canonical(element)) != reference[-1].text:
                raise Refused(sentence)

    def must_be_signed_with(self, key: ec.EllipticCurvePublicKey) -> None:
        """Refuses a signature that was not made with the private half of `key`."""
        value = b64decode(self._value.text or "")
        signature = encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
        try:
            key.verify(signature, canonical(self._signed_info), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise Refused("The seal's signature does not hold: it was not made by the office's key.") from error

    def must_not_precede(self, event_at: datetime) -> None:
        """Refuses a seal older than the event it attests; clocks may differ by five minutes."""
        if event_at - self.signed_at > CLOCKS_DIFFER:
            raise Refused("The receipt says it was sealed before the event that it attests.")


def _digest(data: bytes) -> str:
    return b64encode(hashlib.sha256(data).digest()).decode()
