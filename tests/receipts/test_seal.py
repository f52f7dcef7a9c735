"""The seal holds for anything a letter may bring, and for software that is not ours."""

import hashlib
import os
import re
import subprocess
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from services.chassis.errors import Unavailable
from services.receipts import evidence
from services.receipts.evidence import Deadline, Event, Party
from services.receipts.seal import Seal
from tests.receipts import people

AUTHORITY = people.Authority()
CERTIFIED = AUTHORITY.seal()
SEAL = Seal(CERTIFIED.certificate, CERTIFIED.key)
C14N = "http://www.w3.org/2006/12/xml-c14n11"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)


def now() -> datetime:
    return datetime.now(UTC)


def xmlsec1(xml: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command a stranger is told to run (README, "how to check a receipt")."""
    (folder / "ca.pem").write_bytes(AUTHORITY.pem)
    (folder / "dowod.xml").write_bytes(xml)
    return subprocess.run(
        [
            *("xmlsec1", "--verify", "--trusted-pem", "ca.pem", "--enabled-key-data", "x509"),
            *("--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"),
            *("--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:KeyInfo"),
            "dowod.xml",
        ],
        cwd=folder,
        env={**os.environ, "SSL_CERT_FILE": "/dev/null", "SSL_CERT_DIR": "/dev/null"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(AUTHORITY.pem)
    return path


@st.composite
def events(draw: st.DrawFn) -> Event:
    return people.event(
        sender=Party(draw(ANY_TEXT), "unit", draw(ANY_TEXT)),
        facts=tuple(("fact", each) for each in draw(st.lists(ANY_TEXT, max_size=3))),
        deadline=draw(st.one_of(st.none(), st.builds(Deadline, ANY_TEXT, ANY_TEXT, ANY_TEXT))),
        channel=draw(ANY_TEXT),
    )


@settings(deadline=None, max_examples=200)
@given(events())
def test_what_was_digested_is_what_a_parser_makes_canonical_whatever_the_texts(event: Event) -> None:
    written = evidence.evidence_of(event, people.ISSUER)
    xml = SEAL.sealed(written, now())
    root = etree.fromstring(xml)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    references = {each.get("URI"): each.findtext(f"{DS}DigestValue") for each in signature.iter(f"{DS}Reference")}
    for element in signature.iter():
        if (name := element.get("Id")) and f"#{name}" in references:
            canonical = etree.tostring(element, method="c14n")
            assert references[f"#{name}"] is not None
            assert b64decode(references[f"#{name}"] or "") == hashlib.sha256(canonical).digest()
    root.remove(signature)
    canonical = etree.tostring(root, method="c14n")
    assert canonical == written.encode()
    assert b64decode(references[""] or "") == hashlib.sha256(canonical).digest()
    assert set(references) == {"", "#seal-properties", "#seal-key"}


@settings(deadline=None, max_examples=30)
@given(events())
def test_another_xades_implementation_accepts_the_seal_whatever_the_texts(ca: Path, event: Event) -> None:
    xml = SEAL.sealed(evidence.evidence_of(event, people.ISSUER), now())
    expected = XAdESSignatureConfiguration(
        expect_references=3, signature_methods=frozenset({SignatureMethod.ECDSA_SHA256})
    )
    results = XAdESVerifier().verify(xml, ca_pem_file=str(ca), expect_config=expected)
    assert {each.signed_xml.tag.rpartition("}")[2] for each in results if each.signed_xml is not None} == {
        "Evidence",
        "SignedProperties",
        "KeyInfo",
    }


def test_xmlsec1_accepts_all_three_references(tmp_path: Path) -> None:
    nasty = 'Zażółć <gęślą> & "jaźń" \r\n\t]]> \x00\x1b\ufffe 𝄞'
    letter = people.event(facts=(("client-host", nasty),), deadline=Deadline(nasty, "2026-11-25", "2026-12-28"))
    done = xmlsec1(SEAL.sealed(evidence.evidence_of(letter, people.ISSUER), now()), tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^OK$", done.stdout + done.stderr, re.MULTILINE)
    assert "SignedInfo References (ok/all): 3/3" in done.stdout + done.stderr


def test_a_changed_letter_digest_is_told_by_xmlsec1(tmp_path: Path) -> None:
    xml = SEAL.sealed(evidence.evidence_of(people.event(), people.ISSUER), now())
    forged = xml.replace(b"ZW-TEST-0001", b"ZW-TEST-0002")
    assert forged != xml
    assert xmlsec1(forged, tmp_path).returncode != 0


def test_a_certificate_and_a_key_that_do_not_belong_together_are_no_seal() -> None:
    with pytest.raises(ValueError, match="another key"):
        Seal(CERTIFIED.certificate, AUTHORITY.seal().key)
    with pytest.raises(ValueError, match="not a P-256 key"):
        Seal(CERTIFIED.certificate, people.pem_of(ec.generate_private_key(ec.SECP384R1())))


def test_nothing_is_sealed_once_the_certificate_has_expired() -> None:
    expired = AUTHORITY.seal(days=-1)
    with pytest.raises(Unavailable, match="No receipt was made"):
        Seal(expired.certificate, expired.key).must_be_valid(now())
    SEAL.must_be_valid(now())
