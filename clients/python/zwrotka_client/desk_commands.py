"""What an officer does with trusted profiles, from the command line."""

import getpass
import sys
from argparse import Namespace

from zwrotka_client import jsons, printing
from zwrotka_client.card import card_of
from zwrotka_client.desk import Desk, Token
from zwrotka_client.settings import Settings, UsageError


def request(args: Namespace) -> int:
    """Takes down a request for a profile."""
    pesel = _pesel(args)
    with _desk(args) as desk:
        made = desk.request_profile(
            first_names=args.first_names, surname=args.surname, pesel=pesel, email=args.email, phone=args.phone
        )
    if args.json:
        jsons.show(jsons.plain(made))
        return 0
    print(f"The request is kept as {made.profile_id}; it lapses on {printing.time_of(made.expires_at)}.")
    print("Next, with the identity card in hand:")
    print(f"  zwrotka desk profile confirm {made.profile_id} --document NUMBER")
    return 0


def confirm(args: Namespace) -> int:
    """Confirms a profile and prints its first token."""
    pesel = _pesel(args)
    with _desk(args) as desk:
        token_ = desk.confirm_profile(args.profile_id, document_number=args.document, pesel=pesel)
    return _print_token(args, token_)


def revoke(args: Namespace) -> int:
    """Ends a profile."""
    with _desk(args) as desk:
        desk.revoke_profile(args.profile_id, reason=args.reason)
    if args.json:
        jsons.show({"profile_id": args.profile_id, "revoked": True})
    else:
        print(f"The profile {args.profile_id} is revoked: its tokens and linked chats no longer work.")
    return 0


def token(args: Namespace) -> int:
    """Issues a new token and prints it."""
    with _desk(args) as desk:
        issued = desk.issue_token(args.profile_id)
    return _print_token(args, issued)


def _desk(args: Namespace) -> Desk:
    settings = Settings(args)
    paths = settings.unit_paths
    return Desk(
        settings.address("identity", "ZWROTKA_DESK_ADDRESS"),
        certificate=paths.certificate,
        key=paths.key,
        ca=settings.ca,
        login=settings.login,
        password=settings.password,
    )


def _pesel(args: Namespace) -> str:
    if args.pesel:
        return str(args.pesel)
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for the PESEL. Nothing was sent. Use --pesel.")
    return getpass.getpass("PESEL: ")


def _print_token(args: Namespace, issued: Token) -> int:
    if args.json:
        jsons.show(jsons.plain(issued))
    else:
        print(card_of(issued))
    return 0
