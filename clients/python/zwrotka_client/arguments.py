"""The words of the command `zwrotka`."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from typing import Any

from zwrotka_client import check_command, desk_commands, unit_commands
from zwrotka_client.settings import VARIABLES

_EXITS = """\
exit codes:
  0 done   1 refused, or a check failed   2 wrong usage   3 unavailable, try again
With --json one object is printed; where the command failed, {"error": {"kind", "reason", "sentence", "fields"}}.
"""


def parser() -> ArgumentParser:
    """All commands; each sets `run`, a function of the arguments that returns the exit code."""
    top = ArgumentParser(
        prog="zwrotka",
        description="A city unit's letters, and the officer's desk for trusted profiles.",
        epilog=f"example:\n  zwrotka inbox --unit SO\n\n{_EXITS}\n{VARIABLES}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_reading(commands)
    _add_writing(commands)
    _add_verify(commands)
    _add_desk(commands)
    return top


def _add_reading(commands: Any) -> None:
    inbox = _add(
        commands,
        "inbox",
        "",
        "List the letters that came to the unit, oldest first.",
        unit_commands.inbox,
        [_connection("mailbox"), _patience()],
        "zwrotka inbox --unit SO --watch",
        'A "!" follows the last day for the answer once it has passed. With --watch --json: one letter a line.',
    )
    inbox.add_argument("--after", type=int, default=0, metavar="CURSOR", help="only letters after this cursor")
    inbox.add_argument("--waiting", action="store_true", help="only letters that are not answered yet")
    inbox.add_argument("--watch", action="store_true", help="go on with what comes, until interrupted")
    for name, what, run, example in (
        ("show", "Show a letter with its text.", unit_commands.show, "zwrotka show ZW-7K2M-9QXA-R4TB --save letter"),
        ("receipt", "Show a letter's evidence.", unit_commands.receipt, "zwrotka receipt ZW-7K2M-9QXA-R4TB --save ."),
    ):
        command = _add(
            commands, name, "NUMBER", what, run, [_connection("mailbox"), _patience()], f"{example} --unit SO"
        )
        command.add_argument("number", metavar="NUMBER", help="the letter's number, ZW-XXXX-XXXX-XXXX")
        command.add_argument("--save", metavar="DIR", help="write it into files in this folder")
        if name == "receipt":
            command.add_argument("--log-key", metavar="KEY", help="verifier key of the city's log, or a file with it")


def _add_writing(commands: Any) -> None:
    take = _add(
        commands,
        "take",
        "NUMBER",
        "Acknowledge that the unit has a letter.",
        unit_commands.take,
        [_connection("mailbox"), _patience()],
        "zwrotka take ZW-7K2M-9QXA-R4TB --unit SO",
    )
    take.add_argument("number", metavar="NUMBER", help="the letter's number")
    send = _add(
        commands,
        "send",
        "UNIT TEXT",
        "Send a letter to another unit.",
        unit_commands.send,
        [_connection("mailbox"), _patience()],
        'zwrotka send KD "Prosimy o opinię." --subject "Zjazd z ul. Lipowej" --attach plan.pdf --unit SO',
    )
    send.add_argument("to_unit", metavar="UNIT", help="code of the unit it is for")
    answer = _add(
        commands,
        "answer",
        "NUMBER TEXT",
        "Answer a letter; the answer goes to its sender.",
        unit_commands.answer,
        [_connection("mailbox"), _patience()],
        'zwrotka answer ZW-7K2M-9QXA-R4TB "Jezdnia będzie naprawiona do 15 grudnia." --unit SO',
    )
    answer.add_argument("number", metavar="NUMBER", help="number of the letter that is answered")
    for command in (send, answer):
        command.add_argument("text", metavar="TEXT", help="the text; - reads it from standard input")
        command.add_argument("--subject", default="", help="left out, one is made")
        command.add_argument(
            "--attach", action="append", default=[], metavar="FILE", help="a file to enclose; may be repeated"
        )
        command.add_argument(
            "--once", default="", metavar="WORD", help="sent again with the same WORD, the letter is not doubled"
        )


def _add_verify(commands: Any) -> None:
    verify = _add(
        commands,
        "verify",
        "FILE...",
        "Check receipts, offline and without trusting the city's services.",
        check_command.verify,
        [_house()],
        "zwrotka verify dowod-*.xml letter.eml --ca ca.pem --log-key log.vkey",
        "Each dowod-*.xml is checked with its .tlog-proof, named too or lying beside it.\n"
        "Any other FILE must be the whole letter or a part of it, byte for byte.",
    )
    verify.add_argument("files", nargs="+", metavar="FILE", help="receipts, proofs and parts of the letter")
    verify.add_argument("--ca", metavar="PEM", help="the city's CA certificate")
    verify.add_argument("--log-key", metavar="KEY", help="verifier key of the city's log, or a file with it")


def _add_desk(commands: Any) -> None:
    desk = commands.add_parser("desk", help="The officer's desk: trusted profiles and tokens.")
    desk_parts = desk.add_subparsers(title="commands", metavar="COMMAND", required=True)
    profile = desk_parts.add_parser("profile", help="Take down, confirm or revoke a trusted profile.")
    profile_parts = profile.add_subparsers(title="commands", metavar="COMMAND", required=True)
    parents = [_connection("identity"), _officer()]

    request = _add(
        profile_parts,
        "request",
        "--first-names NAMES --surname NAME --email ADDRESS",
        "Take down a request for a trusted profile.",
        desk_commands.request,
        parents,
        "zwrotka desk profile request --first-names Anna --surname Nowak --email anna@example.com --login urzednik",
    )
    request.add_argument("--first-names", required=True, metavar="NAMES")
    request.add_argument("--surname", required=True, metavar="NAME")
    request.add_argument("--email", required=True, metavar="ADDRESS", help="where receipts go")
    request.add_argument("--phone", default="", metavar="NUMBER")
    confirm = _add(
        profile_parts,
        "confirm",
        "ID --document NUMBER",
        "Confirm a profile with the identity card shown; prints its first token, this once.",
        desk_commands.confirm,
        parents,
        "zwrotka desk profile confirm 0193a1d2-... --document ABS123456 --login urzednik",
    )
    confirm.add_argument("--document", required=True, metavar="NUMBER", help="number of the identity card shown")
    for command in (request, confirm):
        command.add_argument("--pesel", default="", metavar="PESEL", help="left out, it is asked for")
    revoke = _add(
        profile_parts,
        "revoke",
        "ID --reason SENTENCE",
        "End a profile, all its tokens and linked chats, at once.",
        desk_commands.revoke,
        parents,
        'zwrotka desk profile revoke 0193a1d2-... --reason "Zgubiony telefon" --login urzednik',
    )
    revoke.add_argument("--reason", required=True, metavar="SENTENCE", help="kept in the profile's journal")
    token = _add(
        desk_parts,
        "token",
        "ID",
        "Issue a new token, printed this once; the earlier ones end.",
        desk_commands.token,
        parents,
        "zwrotka desk token 0193a1d2-... --login urzednik",
    )
    for command in (confirm, revoke, token):
        command.add_argument("profile_id", metavar="ID", help="the profile's id, as `desk profile request` gave it")


def _add(
    commands: Any,
    name: str,
    words: str,
    what: str,
    run: Callable[[Namespace], int],
    parents: Sequence[ArgumentParser],
    example: str,
    note: str = "",
) -> ArgumentParser:
    command: ArgumentParser = commands.add_parser(
        name,
        help=what,
        usage=f"%(prog)s {words} [options]".replace("  ", " "),
        description=f"{what}\n{note}".strip(),
        epilog=f"example:\n  {example}",
        parents=parents,
        formatter_class=RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def _house() -> ArgumentParser:
    options = ArgumentParser(add_help=False)
    options.add_argument("--json", action="store_true", help="print for programs")
    house = options.add_argument_group("house on this machine")
    house.add_argument("--home", metavar="DIR", help="its home (var)")
    house.add_argument("--ready", metavar="FILE", help="its ready.json (HOME/ready.json)")
    return options


def _connection(service: str) -> ArgumentParser:
    options = ArgumentParser(add_help=False, parents=[_house()])
    options.add_argument("--unit", metavar="CODE", help="the unit to act as (the house's first)")
    elsewhere = options.add_argument_group("house elsewhere")
    elsewhere.add_argument("--address", metavar="HOST:PORT", help=f"where {service} answers")
    elsewhere.add_argument("--certificate", metavar="PEM", help="the unit's certificate")
    elsewhere.add_argument("--key", metavar="PEM", help="its key (the .key beside it)")
    elsewhere.add_argument("--ca", metavar="PEM", help="the city's CA certificate (ca.pem beside it)")
    return options


def _patience() -> ArgumentParser:
    options = ArgumentParser(add_help=False)
    options.add_argument(
        "--patience", type=float, default=30.0, metavar="S", help="seconds to wait out an unavailable mailbox (30)"
    )
    return options


def _officer() -> ArgumentParser:
    options = ArgumentParser(add_help=False)
    officer = options.add_argument_group("officer")
    officer.add_argument("--login", metavar="NAME", help="who signs in")
    officer.add_argument("--password-file", metavar="FILE", help="file with the password; left out, it is asked for")
    return options
