"""python -m services COMMAND: the development house, and what it takes to run one elsewhere.

Each command imports its own module only: `run` stays in memory and must stay small.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from services.chassis.errors import Refusal
from services.chassis.settings import Settings, SettingsError, load


def main(arguments: list[str]) -> None:
    """Runs one command; a setting, file or port that stops it is one sentence and exit 1."""
    parsed = _parser().parse_args(arguments)
    try:
        code = _COMMANDS[parsed.command](load(), parsed)
    except SettingsError as error:
        sys.exit(str(error))
    except Refusal as refusal:
        sys.exit(refusal.sentence)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code)


def _run(settings: Settings, _: argparse.Namespace) -> None:
    import_module("services.house.supervisor").run(settings)


def _prepare(settings: Settings, _: argparse.Namespace) -> None:
    import_module("services.house.home").prepare(settings)


def _secrets(settings: Settings, _: argparse.Namespace) -> None:
    import_module("services.house.home").make_secrets(settings)
    print(f"Certificates and keys lie in {settings.home_path}.")


def _migrate(settings: Settings, _: argparse.Namespace) -> None:
    import_module("services.house.home").migrate(settings)
    print("The tables of all services have the newest version.")


def _open(settings: Settings, _: argparse.Namespace) -> None:
    import_module("services.house.opening").open_house(settings)


def _health(settings: Settings, parsed: argparse.Namespace) -> int:
    health = import_module("services.house.health")
    answers = {role: health.serves(settings, role) for role in parsed.roles or health.ROLES}
    for role, serves in answers.items():
        print(f"{role:<9} {'serves' if serves else 'does not answer'}")
    return 0 if all(answers.values()) else 1


def _settings(settings: Settings, _: argparse.Namespace) -> None:
    for variable, value, text in settings.shown():
        print(f"  {variable:<25} {value or '-':<26} {text}")


def _letter(settings: Settings, parsed: argparse.Namespace) -> int:
    code: int = import_module("services.house.letter").send(settings, text=parsed.text, file=parsed.file)
    return code


def _books(settings: Settings, _: argparse.Namespace) -> int:
    code: int = import_module("services.house.books").show(settings)
    return code


_COMMANDS = {
    "run": _run,
    "prepare": _prepare,
    "secrets": _secrets,
    "migrate": _migrate,
    "open": _open,
    "health": _health,
    "settings": _settings,
    "letter": _letter,
    "books": _books,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="prepare the home, start every process, look after them until Ctrl-C")
    commands.add_parser("prepare", help="make what the home lacks: keys, certificates, tables, the demo officer")
    commands.add_parser("secrets", help="make the certificates, keys and database passwords that are missing, no more")
    commands.add_parser("migrate", help="bring every service's tables to the newest version, no more")
    commands.add_parser("open", help="wait until every process serves, admit the demo resident, draft ready.json")
    commands.add_parser("health", help="ask the named roles (or all) whether they serve").add_argument(
        "roles", nargs="*", metavar="ROLE"
    )
    commands.add_parser("settings", help="all settings with their values, secrets masked")
    letter = commands.add_parser("letter", help="send a letter to a running house and check its receipt")
    letter.add_argument("--text", default="", help="what to write")
    letter.add_argument("--file", type=Path, help="a file to enclose")
    commands.add_parser("books", help="re-read every letter, receipt and the whole log")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
