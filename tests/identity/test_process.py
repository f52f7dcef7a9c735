"""The process as the house runs it: started, signed in to, stopped, and silent about persons."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import grpc
from zwrotka.identity.v1 import identity_pb2 as pb
from zwrotka.identity.v1.identity_pb2_grpc import IdentityServiceStub

from services.chassis import rpc
from services.chassis.errors import Refusal
from services.chassis.settings import Settings
from tests.identity.hall import CARD, CHAT, EWA, JAN, LOGIN, PASSWORD, a_home

COMMAND = [sys.executable, "-m", "services.identity"]


def environment(settings: Settings) -> dict[str, str]:
    """What identity is started with."""
    ours = {"ZWROTKA_HOME": settings.home, "ZWROTKA_IDENTITY_PORT": str(settings.identity_port)}
    return {**os.environ, **ours, "PYTHONPATH": os.pathsep.join(sys.path)}


def add_officer(settings: Settings, login: str, password: str) -> subprocess.CompletedProcess[str]:
    """Runs the command that enrols an officer."""
    return subprocess.run(
        [*COMMAND, "add-officer", login],
        input=f"{password}\n",
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@contextmanager
def running(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Identity's process, serving; stopped at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(COMMAND, env=environment(settings), stdout=output, stderr=output)
    try:
        with rpc.channel(settings.address_of("identity"), certificate(settings, "units/SO")) as channel:
            grpc.channel_ready_future(channel).result(timeout=20)
        yield process
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def certificate(settings: Settings, name: str) -> Path:
    """A caller's certificate."""
    return settings.home_path / "certificates" / f"{name}.pem"


def test_a_home_is_served_over_restarts_and_no_log_line_names_a_person(tmp_path: Path) -> None:
    settings, log = a_home(tmp_path / "home"), tmp_path / "log"
    assert add_officer(settings, LOGIN, PASSWORD).returncode == 0
    secrets = [PASSWORD, CARD, CHAT.account]
    for person in (JAN, EWA):
        secrets += [person.first_names, person.surname, person.pesel, person.email, person.phone]
    with running(settings, log):
        profile_id, token = use_everything(settings, secrets)
    with (
        running(settings, log),
        rpc.channel(settings.address_of("identity"), certificate(settings, "mailbox")) as channel,
    ):
        request = pb.AuthenticateSendersRequest(credentials=[pb.Credential(token=token)])
        outcome = rpc.call(IdentityServiceStub(channel).AuthenticateSenders, request, timeout_s=10).outcomes[0]
        assert outcome.sender.profile_id == profile_id
    written = log.read_text(encoding="utf-8")
    assert written.count('"started"') == 2
    stored = b"".join(path.read_bytes() for path in (settings.home_path / "data").iterdir())
    assert b"profile-confirmed" in stored
    assert token.replace("-", "").encode() not in stored
    for secret in filter(None, secrets):
        for form in (secret, secret.lower(), secret.replace("-", ""), secret.encode("unicode_escape").decode()):
            assert form not in written


def use_everything(settings: Settings, secrets: list[str]) -> tuple[str, str]:
    """Calls every method, with and without success; notes each secret that comes along. Jan's profile and token."""
    channels = {name: rpc.channel(settings.address_of("identity"), certificate(settings, name)) for name in CALLERS}
    unit, door, letters = (IdentityServiceStub(channels[name]) for name in CALLERS)
    sign_in = pb.SignInOfficerRequest(login=LOGIN, password=PASSWORD)
    session = rpc.call(unit.SignInOfficer, sign_in, timeout_s=10).session
    desk = partial(rpc.call, timeout_s=10, session=session)
    ask = partial(rpc.call, timeout_s=10)
    jan, ewa = (desk(unit.RequestProfile, person).profile_id for person in (JAN, EWA))
    confirm = pb.ConfirmProfileRequest(profile_id=jan, document_number=CARD, pesel=JAN.pesel)
    first = desk(unit.ConfirmProfile, confirm).token.token
    token = desk(unit.IssueToken, pb.IssueTokenRequest(profile_id=jan)).token.token
    code = ask(door.IssueChatCode, pb.IssueChatCodeRequest(chat=CHAT, email=JAN.email)).code
    ask(door.LinkChat, pb.LinkChatRequest(chat=CHAT, code=code))
    ask(letters.GetContacts, pb.GetContactsRequest(profile_ids=[jan]))
    secrets += [session, first, token, code]
    refused = [
        partial(desk, unit.ConfirmProfile, confirm),
        partial(desk, unit.ConfirmProfile, pb.ConfirmProfileRequest(profile_id=ewa, document_number=CARD, pesel="1")),
        partial(
            desk,
            unit.ConfirmProfile,
            pb.ConfirmProfileRequest(profile_id=ewa, document_number=CARD, pesel=JAN.pesel),
        ),
        partial(desk, unit.RequestProfile, pb.RequestProfileRequest(first_names=JAN.first_names, surname="\x00")),
        partial(ask, unit.SignInOfficer, pb.SignInOfficerRequest(login=LOGIN, password=f"{PASSWORD}x")),
        partial(ask, door.LinkChat, pb.LinkChatRequest(chat=CHAT, token=first)),
        partial(ask, door.LinkChat, pb.LinkChatRequest(chat=CHAT, code=code[::-1] + "0")),
        partial(ask, door.GetContacts, pb.GetContactsRequest(profile_ids=[JAN.email] * 300)),
    ]
    for each in refused:
        try:
            each()
        except Refusal as refusal:
            told = f"{refusal} {refusal.fields}"
            assert not any(secret in told for secret in filter(None, secrets))
        else:
            raise AssertionError("not refused")
    ask(door.UnlinkChat, pb.UnlinkChatRequest(chat=CHAT))
    desk(unit.RevokeProfile, pb.RevokeProfileRequest(profile_id=ewa, reason="Pomyłka."))
    for channel in channels.values():
        channel.close()
    return jan, token


CALLERS = ("units/SO", "frontdoor", "mailbox")


def test_the_command_enrols_an_officer_and_says_what_it_did(tmp_path: Path) -> None:
    settings = a_home(tmp_path / "home")
    added = add_officer(settings, LOGIN, PASSWORD)
    assert (added.returncode, added.stdout) == (0, f"{LOGIN} can sign in with the new password.\n")
    again = add_officer(settings, LOGIN, PASSWORD)
    assert (again.returncode, again.stdout) == (0, f"{LOGIN} can sign in already; nothing changed.\n")
    refused = add_officer(settings, LOGIN, "krotkie")
    assert refused.returncode == 1
    assert refused.stderr == "A password has at least 12 characters and at most 1024 bytes. Choose another.\n"


def test_a_missing_or_damaged_pepper_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    settings = a_home(tmp_path / "home")
    pepper = settings.home_path / "keys" / "pepper"
    for change in (lambda: pepper.write_bytes(b"short"), pepper.unlink):
        change()
        ended = subprocess.run(
            COMMAND, env=environment(settings), capture_output=True, text=True, timeout=30, check=False
        )
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1
        assert str(pepper) in ended.stderr


def test_an_unknown_command_is_answered_with_the_usage(tmp_path: Path) -> None:
    settings = a_home(tmp_path / "home")
    ended = subprocess.run(
        [*COMMAND, "remove"], env=environment(settings), capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Usage:")
