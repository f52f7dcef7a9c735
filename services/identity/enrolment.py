"""Enrols an officer: for the command line and for whoever sets a house up."""

from datetime import datetime

from services.chassis.database import Database
from services.identity import officers, store
from services.identity.profiles import must_have_no_flaw


def enrol(database: Database, login: str, password: str, now: datetime) -> bool:
    """Adds the officer, or gives a known one this password and ends their sessions; False if that was it already.

    Invalid names the flaw of a login or password that cannot be taken.
    """
    must_have_no_flaw(login=officers.login_flaw(login), password=officers.password_flaw(password))
    known = database.read(lambda tx: store.officer_by(tx, login))
    if known and officers.password_fits(known.password_hash, password):
        return False
    # The slow hash is computed between two transactions. Two enrolments of one login at once: the later one counts,
    # or is refused as a conflict and given again.
    password_hash = officers.hashed(password)
    database.write(lambda tx: store.enrol(tx, login, password_hash, now))
    return True
