"""A home is made once, whole, and with the rights that its parts need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from zwrotka_client.verify import parse_key

from services.house import urls
from tests.house import House
from tests.postgres import Postgres


@pytest.fixture
def home(tmp_path: Path) -> House:
    """A house whose home is not prepared yet."""
    return House(tmp_path / "home")


def prepare(house: House, *faults: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """`python -m services prepare`, with faults played in it."""
    plan = house.home.with_name("plan.json")
    plan.write_text(json.dumps({"faults": faults}))
    return subprocess.run(
        [sys.executable, "-m", "tests.stage", "services", "prepare"],
        env={**house.environment, "STAGE_PLAN": str(plan)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def everything_in(folder: Path) -> dict[str, bytes]:
    """Every file by its path; databases aside, whose bytes may change without their content."""
    paths = [path for path in folder.rglob("*") if path.is_file() and "data" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_preparing_again_changes_nothing(home: House) -> None:
    assert home.command("prepare").returncode == 0
    first = everything_in(home.home)
    assert home.command("prepare").returncode == 0
    assert everything_in(home.home) == first


@pytest.mark.parametrize("nth", [1, 2, 12, 20, 22])
def test_a_crash_half_way_leaves_a_home_that_the_next_start_completes(home: House, nth: int) -> None:
    died = prepare(home, {"at": "services.house.files.write", "do": "kill_before", "nth": nth})
    assert died.returncode == -9, died.stderr
    kept = everything_in(home.home)
    assert home.command("prepare").returncode == 0
    made = everything_in(home.home)
    # What was there stays as it was, but for a key whose certificate was still to come.
    assert {name for name in kept if made[name] != kept[name]} <= {name for name in kept if name.endswith(".key")}
    certificates_must_hold(home)


def test_certificates_and_seal_are_what_others_expect(home: House) -> None:
    assert home.command("prepare").returncode == 0
    certificates_must_hold(home)
    seal = openssl("x509", "-in", home.home / "keys/seal.pem", "-noout", "-text")
    assert "X509v3 Key Usage: critical\n                Digital Signature, Non Repudiation\n" in seal
    assert "organizationIdentifier = VATPL-0000000000" in seal
    assert "Extended Key Usage" not in seal
    assert "Alternative Name" not in seal
    uri = f"URI:spiffe://{home.city.domain}"
    mailbox = openssl("x509", "-in", home.home / "certificates/mailbox.pem", "-noout", "-ext", "subjectAltName")
    assert (
        f"URI:spiffe://{home.city.domain}/service/mailbox, DNS:localhost, DNS:mailbox, IP Address:127.0.0.1" in mailbox
    )
    unit = openssl("x509", "-in", home.home / "certificates/units/KD.pem", "-noout", "-ext", "subjectAltName")
    assert f"{uri}/unit/KD\n" in unit
    assert parse_key((home.home / "keys/log.vkey").read_text()).name == home.city.log_origin


def test_secrets_are_for_their_owner_alone(home: House) -> None:
    assert home.command("prepare").returncode == 0
    secrets = [*home.home.rglob("*.key"), home.home / "keys/pepper", home.home / "officer-password"]
    assert len(secrets) == 12
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}
    assert len((home.home / "keys/pepper").read_bytes()) == 32


def test_each_service_reaches_its_own_tables_only_and_receipts_only_adds(tmp_path: Path, postgres: Postgres) -> None:
    house = House(tmp_path / "home", database=postgres.new_database("rights"))
    for _ in range(2):
        prepared = house.command("prepare")
        assert prepared.returncode == 0, prepared.stderr
    for service, others in (("receipts", "mailbox"), ("mailbox", "identity"), ("identity", "receipts")):
        with psycopg.connect(urls.service_url(house.settings, service), autocommit=True) as own:
            assert own.execute("SELECT current_schema(), current_user").fetchone() == (service, f"rights_{service}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(others, "alembic_version")))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute("CREATE TABLE another (id integer)")
    with psycopg.connect(urls.service_url(house.settings, "receipts"), autocommit=True) as receipts:
        assert receipts.execute("SELECT count(*) FROM evidence").fetchone() == (0,)
        for forbidden in ("UPDATE leaves SET entry = ''", "DELETE FROM evidence", "TRUNCATE checkpoints"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                receipts.execute(forbidden)


def certificates_must_hold(house: House) -> None:
    """openssl finds every certificate issued by the CA, and with its own key beside it."""
    folder = house.home / "certificates"
    pems = [*folder.glob("*.pem"), *folder.glob("units/*.pem"), house.home / "keys/seal.pem"]
    assert len(pems) == 1 + 4 + 4 + 1
    answer = openssl("verify", "-CAfile", folder / "ca.pem", "-no-CApath", "-no-CAstore", *pems)
    assert answer.count(": OK") == len(pems)
    for pem in pems:
        if pem.with_suffix(".key").exists():
            public = openssl("x509", "-in", pem, "-noout", "-pubkey")
            assert openssl("pkey", "-in", pem.with_suffix(".key"), "-pubout") == public


def openssl(*arguments: str | os.PathLike[str]) -> str:
    """What openssl prints."""
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout
