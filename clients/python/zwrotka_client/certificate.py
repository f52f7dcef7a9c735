"""Whom a unit's certificate names."""

import re
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

_UNIT = re.compile(r"spiffe://(?P<domain>[^/]+)/unit/(?P<code>[A-Za-z0-9-]+)")


def unit_named_in(certificate: Path) -> tuple[str, str]:
    """The unit's code and the city's domain, from the certificate's SPIFFE URI (spiffe://<domain>/unit/<CODE>).

    ValueError where it is no certificate, names no unit or has ended (the mailbox would only close the connection);
    OSError where it cannot be read.
    """
    content = certificate.read_bytes()
    try:
        parsed = x509.load_pem_x509_certificate(content)
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise _no_unit(certificate) from error
    if parsed.not_valid_after_utc < datetime.now(UTC):
        ended_on = parsed.not_valid_after_utc.date()
        raise ValueError(f"The certificate {certificate} ended on {ended_on}. Ask the city for a new one.")
    for each in names.get_values_for_type(x509.UniformResourceIdentifier):
        if match := _UNIT.fullmatch(each):
            return match["code"], match["domain"]
    raise _no_unit(certificate)


def _no_unit(certificate: Path) -> ValueError:
    return ValueError(f"{certificate} is not the certificate of a unit: it holds no spiffe://.../unit/... name.")
