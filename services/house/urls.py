"""Each service's own database URL. Standard library only: the supervisor needs it and must stay small."""

from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from services.chassis.settings import Settings, SettingsError

SERVICES = ("identity", "mailbox", "receipts")


def administrator_url(settings: Settings, service: str) -> str:
    """ZWROTKA_DATABASE itself, in the service's schema."""
    return urlunsplit(_with_schema(_parts(settings), service))


def service_url(settings: Settings, service: str) -> str:
    """ZWROTKA_DATABASE as the service's own user, in its schema. The user exists once the home is prepared."""
    parts = _parts(settings)
    login = f"{user_of(settings, service)}:{password_file(settings, service).read_text()}"
    host = parts.netloc.rpartition("@")[2]
    options = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("user", "password")]
    return urlunsplit(_with_schema(parts._replace(netloc=f"{login}@{host}", query=urlencode(options)), service))


def user_of(settings: Settings, service: str) -> str:
    """The service's user. Users belong to the whole server, so the database's name keeps two houses apart."""
    return f"{_parts(settings).path.strip('/')}_{service}"


def password_file(settings: Settings, service: str) -> Path:
    """Where the password of the service's user is kept."""
    return settings.home_path / "keys" / f"database-{service}"


def url_file(settings: Settings, service: str) -> Path:
    """Where the service's own URL is kept, for processes that are given it as ZWROTKA_DATABASE_FILE."""
    return password_file(settings, service).with_suffix(".url")


def _parts(settings: Settings) -> SplitResult:
    parts = urlsplit(settings.database)
    if parts.scheme != "postgresql" or not parts.path.strip("/"):
        raise SettingsError("ZWROTKA_DATABASE must read postgresql://user:password@host:port/database.")
    return parts


def _with_schema(parts: SplitResult, service: str) -> SplitResult:
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -csearch_path={service}".strip()
    return parts._replace(query=urlencode(query, quote_via=quote))
