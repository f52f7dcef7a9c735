"""Golden receipts: the good pass, and each bad one is refused for its own reason and no other."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from zwrotka_client.verify import Verdict, verify_receipt

from tests.verify import make_golden
from tests.verify.forge import Log, certified
from tests.verify.make_golden import GOLDEN, LETTER

BAD = make_golden.bad()
GOOD = tuple(make_golden.good())
CA = (GOLDEN / "good/ca.pem").read_bytes()
LOG_KEY = (GOLDEN / "good/log.vkey").read_text()


def verdict_of(path: str, **parts: bytes) -> Verdict:
    """The verdict on a golden receipt."""
    xml, proof = (GOLDEN / f"{path}.xml").read_bytes(), (GOLDEN / f"{path}.tlog-proof").read_bytes()
    return verify_receipt(xml, proof, ca_pem=CA, log_key=LOG_KEY, parts=parts)


def stock_says(file: Path, arguments: Sequence[str] = ()) -> str:
    """What xmlsec1 prints, called as README tells."""
    ids = (
        "--id-attr:Id",
        "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
        "--id-attr:Id",
        "http://www.w3.org/2000/09/xmldsig#:KeyInfo",
    )
    trusted = ("--trusted-pem", str(GOLDEN / "good/ca.pem"), "--enabled-key-data", "x509")
    result = subprocess.run(
        ["xmlsec1", "--verify", *trusted, *ids, *arguments, str(file)],
        env={**os.environ, "SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return "OK" if result.returncode == 0 else result.stderr


needs_xmlsec1 = pytest.mark.skipif(not shutil.which("xmlsec1"), reason="xmlsec1 is not installed")


@pytest.mark.parametrize("name", GOOD)
def test_a_good_receipt_passes_every_check(name: str) -> None:
    verdict = verdict_of(f"good/{name}")
    assert verdict.failed == ()
    assert verdict.passed
    assert verdict.facts


@pytest.mark.parametrize(("name", "check"), [(name, wrong.check) for name, wrong in BAD.items()])
def test_a_bad_receipt_is_refused_for_its_own_reason_alone(name: str, check: str) -> None:
    verdict = verdict_of(f"bad/{name}")
    assert [each.name for each in verdict.failed] == [check]
    assert not verdict.passed


@needs_xmlsec1
@pytest.mark.parametrize("name", [name for name, wrong in BAD.items() if wrong.fools_stock])
def test_the_stock_verifier_lets_this_bad_receipt_pass(name: str) -> None:
    assert stock_says(GOLDEN / f"bad/{name}.xml", BAD[name].stock_arguments) == "OK"


@needs_xmlsec1
@pytest.mark.parametrize("name", [name for name in GOOD if not name.endswith("expired")])
def test_the_stock_verifier_lets_good_receipts_pass(name: str) -> None:
    assert stock_says(GOLDEN / f"good/{name}.xml") == "OK"


@needs_xmlsec1
def test_a_huge_receipt_is_refused_though_it_is_sealed_and_logged_and_passes_the_stock_verifier(tmp_path: Path) -> None:
    huge = make_golden.huge()
    verdict = verify_receipt(huge.xml, huge.logged, ca_pem=CA, log_key=LOG_KEY)
    assert [each.name for each in verdict.failed] == [huge.check]
    (tmp_path / "huge.xml").write_bytes(huge.xml)
    assert stock_says(tmp_path / "huge.xml") == "OK"


def test_the_golden_files_are_what_the_script_makes() -> None:
    kept = {str(file.relative_to(GOLDEN)): file.read_bytes() for file in GOLDEN.rglob("*") if file.is_file()}
    assert kept == make_golden.files()


def test_facts_say_what_the_seal_stands_behind() -> None:
    facts = verdict_of("good/acceptance").facts
    assert facts
    assert (facts.event, facts.letter, facts.channel) == ("SubmissionAcceptance", "ZW-F7A8-UWK9-Q2DR", "smtp")
    assert facts.evidence_id == "0192f7e4-5a10-7c3e-9b1d-2f6a8c4e0b57"
    assert facts.event_at == facts.submitted_at == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert facts.issuer == "Urząd Miasta Przykładowo"
    assert facts.sender.startswith("urn:uuid:")
    assert facts.recipient == "spiffe://przykladowo.example/unit/SO"
    assert [part.identifier for part in facts.parts] == ["letter.eml", "1"]
    assert facts.deadline
    assert (facts.deadline.rule, facts.deadline.due_on) == ("art. 35 § 3 k.p.a.", date(2026, 12, 28))
    assert (facts.log_origin, facts.log_index, facts.log_size) == ("zwrotka.przykladowo.example/2026", 4, 7)


def test_facts_that_nobody_vouches_for_are_not_shown() -> None:
    assert verdict_of("bad/altered-field").facts is None
    unlogged = verdict_of("bad/proof-of-another-receipt").facts
    assert unlogged
    assert unlogged.log_index is unlogged.log_size is None


def test_a_receipt_without_its_proof_does_not_pass_but_its_seal_holds() -> None:
    xml = (GOLDEN / "good/acceptance.xml").read_bytes()
    verdict = verify_receipt(xml, None, ca_pem=CA, log_key=LOG_KEY)
    assert [check.name for check in verdict.failed] == ["log-proof"]
    assert verdict.facts


def test_files_of_the_letter_are_attested_and_others_are_not() -> None:
    verdict = verdict_of("good/acceptance", letter=LETTER, other=LETTER + b" ")
    assert [(check.name, check.passed) for check in verdict.checks[-2:]] == [
        ("part-attested", True),
        ("part-attested", False),
    ]
    assert not verdict.passed
    assert "other" in verdict.checks[-1].detail


@pytest.mark.parametrize("ca_pem", [b"", b"no certificate", CA.replace(b"A", b"B")])
def test_an_authority_that_cannot_be_read_is_said_so(ca_pem: bytes) -> None:
    xml, proof = (GOLDEN / "good/acceptance.xml").read_bytes(), (GOLDEN / "good/acceptance.tlog-proof").read_bytes()
    verdict = verify_receipt(xml, proof, ca_pem=ca_pem, log_key=LOG_KEY)
    assert [check.name for check in verdict.failed] == ["seal-certificate"]


@pytest.mark.parametrize("log_key", ["", "nothing", LOG_KEY[:-3], LOG_KEY.replace("2026", "2025"), "a+00000000+AQ=="])
def test_a_log_key_that_cannot_be_read_is_said_so(log_key: str) -> None:
    xml, proof = (GOLDEN / "good/acceptance.xml").read_bytes(), (GOLDEN / "good/acceptance.tlog-proof").read_bytes()
    verdict = verify_receipt(xml, proof, ca_pem=CA, log_key=log_key)
    assert [check.name for check in verdict.failed] == ["checkpoint-signature"]


def test_receipts_of_other_years_are_checked_with_several_keys_and_authorities() -> None:
    xml, proof = (GOLDEN / "good/acceptance.xml").read_bytes(), (GOLDEN / "good/acceptance.tlog-proof").read_bytes()
    log_key = Log(key="2027", name="zwrotka.przykladowo.example/2027").verifier_key
    other_ca = certified("Test CA", None, key="2027", uses=("key_cert_sign",), authority=True).pem
    assert verify_receipt(xml, proof, ca_pem=other_ca + CA, log_key=f"{log_key}\n{LOG_KEY}").passed


def test_every_check_has_a_bad_receipt() -> None:
    made = {check.name for check in verdict_of("good/acceptance", letter=LETTER).checks}
    assert made - {"part-attested"} == {wrong.check for wrong in BAD.values()}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("line-ends-changed", "line ends were changed"),
        ("byte-order-mark", "does not begin as receipts do"),
        ("three-certificates", "more than one certificate"),
        ("another-document", "is not a receipt: it begins with list"),
        ("proof-with-crlf", "line ends were changed"),
        ("path-cut-short", "ends below the root"),
        ("path-too-long", "longer than the tree is high"),
    ],
)
def test_a_refusal_says_what_is_wrong(name: str, words: str) -> None:
    assert words in verdict_of(f"bad/{name}").failed[0].detail
