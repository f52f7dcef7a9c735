"""Whom a unit's certificate names."""

import re
from pathlib import Path

from cryptography import x509

_UNIT = re.compile(r"spiffe://(?P<domain>[^/]+)/unit/(?P<code>[A-Za-z0-9-]+)")


def unit_named_in(certificate: Path) -> tuple[str, str]:
    """The unit's code and the city's domain, from the certificate's SPIFFE URI (spiffe://<domain>/unit/<CODE>).

    ValueError where it is no certificate or names no unit; OSError where it cannot be read.
    """
    try:
        names = (
            x509.load_pem_x509_certificate(certificate.read_bytes())
            .extensions.get_extension_for_class(x509.SubjectAlternativeName)
            .value.get_values_for_type(x509.UniformResourceIdentifier)
        )
    except (ValueError, x509.ExtensionNotFound):
        names = []
    for each in names:
        if match := _UNIT.fullmatch(each):
            return match["code"], match["domain"]
    raise ValueError(f"{certificate} is not the certificate of a unit: it holds no spiffe://.../unit/... name.")
