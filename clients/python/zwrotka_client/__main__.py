"""The command `zwrotka`."""

import io
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from zwrotka_client import jsons, printing
from zwrotka_client.arguments import parser
from zwrotka_client.errors import Refusal, Unavailable
from zwrotka_client.settings import UsageError

DONE, REFUSED, USAGE, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code says how it ended (0 done, 1 refused, 2 usage, 3 unavailable)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    args = parser().parse_args(arguments)
    if sys.stderr.isatty() or getattr(args, "watch", False):
        _log.setLevel(logging.INFO)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except Refusal as refusal:
        return _failed(args, refusal)
    except UsageError as error:
        return _failed(args, _usage(str(error)))
    except FileExistsError as error:
        return _failed(
            args,
            _usage(f"{error.filename} is there already with another content. It was left alone. Name another folder."),
        )
    except UnicodeError:
        return _failed(args, _usage("The text is not in the terminal's encoding. Nothing was sent. Write it in UTF-8."))
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not try to flush it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _failed(
            args, _usage(f"{error.filename or 'A file'} cannot be used: {error.strerror}. Nothing was sent.")
        )
    except KeyboardInterrupt:
        return INTERRUPTED


class _Waits(logging.Handler):
    """Tells a person why nothing happens for the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"zwrotka: {record.getMessage()} ...", file=sys.stderr, flush=True)


_log = logging.getLogger("zwrotka_client")
_log.addHandler(_Waits())


class _Usage(Refusal):
    """Not from a service: the command itself could not be carried out."""


def _usage(sentence: str) -> _Usage:
    return _Usage("usage", sentence)


def _failed(args: Namespace, refusal: Refusal) -> int:
    print(f"zwrotka: {printing.one_line(refusal.sentence)}", file=sys.stderr)
    for name, text in refusal.fields.items():
        print(f"  {printing.one_line(name)}: {printing.one_line(text)}", file=sys.stderr)
    if args.json:
        kind = type(refusal).__name__.lstrip("_").lower()
        fields = dict(refusal.fields)
        jsons.show({"error": {"kind": kind, "reason": refusal.reason, "sentence": refusal.sentence, "fields": fields}})
    if isinstance(refusal, _Usage):
        return USAGE
    return UNAVAILABLE if isinstance(refusal, Unavailable) else REFUSED


if __name__ == "__main__":
    sys.exit(main())
