"""The pages people read: what the service is, how to check a receipt, what the log is, what to do about a trouble."""

import io
import traceback
from dataclasses import dataclass
from typing import Final

import structlog
from flask import Flask, Request, Response, jsonify, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from services.chassis.city import City
from services.chassis.clock import WARSAW
from services.chassis.errors import (
    AlreadyExists,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from services.frontdoor.web import log as public_log
from services.frontdoor.web import uploads, verdicts
from services.frontdoor.web.headers import FRESH, PRIVATE, SECURITY

MAX_UPLOAD_BYTES: Final = 2 << 20
MAX_FILES: Final = 40
LANGUAGES: Final = {"pl": "", "en": "/en"}
_CODES: Final[dict[type[Refusal], int]] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    AlreadyExists: 409,
    Unavailable: 503,
}
log = structlog.get_logger()


@dataclass(frozen=True)
class Keys:
    """What receipts are checked against: the office's authority (PEM) and the log's verifier key string."""

    authority_pem: bytes
    log_key: str


class InMemory(Request):
    """A request whose uploads stay in memory: werkzeug would spool larger ones to a temporary file."""

    def _get_file_stream(self, *_: object, **__: object) -> io.BytesIO:
        return io.BytesIO()


def build(city: City, the_log: public_log.Log, keys: Keys, *, telegram_is_open: bool) -> Flask:
    """The web application."""
    app = Flask(__name__)
    app.request_class = InMemory
    app.config.update(MAX_CONTENT_LENGTH=MAX_UPLOAD_BYTES, MAX_FORM_PARTS=MAX_FILES, SEND_FILE_MAX_AGE_DEFAULT=3600)
    # One address, with and without the last slash: no redirect that would repeat a stranger's Host header.
    app.url_map.strict_slashes = False
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["warsaw"] = lambda moment: moment.astimezone(WARSAW)
    app.jinja_env.globals.update(city=city, keys=keys, max_upload_mb=MAX_UPLOAD_BYTES >> 20, telegram=telegram_is_open)
    app.register_blueprint(public_log.routes(the_log))
    for language, prefix in LANGUAGES.items():
        _add_pages(app, the_log, keys, city, language, prefix)
    _add_files(app, keys)
    _add_health(app, the_log)
    _add_troubles(app)

    @app.after_request
    def with_headers(response: Response) -> Response:
        for name, value in SECURITY.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", FRESH)
        return response

    return app


def trouble_page(app: Flask, code: int) -> str:
    """The page for a status of 400 and above: what happened, whether anything was kept, what to do. Both languages."""
    return app.jinja_env.get_template("trouble.html").render(code=code, language="pl", path="/")


def _add_pages(app: Flask, the_log: public_log.Log, keys: Keys, city: City, language: str, prefix: str) -> None:
    def shown(page: str, **words: object) -> str:
        path = request.path.removeprefix(prefix) or "/"
        return render_template(f"{language}/{page}.html", language=language, path=path, **words)

    def home() -> str:
        return shown("home")

    def check() -> str:
        return shown("check", nothing_came=False)

    def checked() -> Response:
        # No CSRF token: the form changes nothing and knows nobody; whoever makes a browser send it gains a page
        # that its own visitor sees.
        given = uploads.sort(
            uploads.File(each.filename or "", each.read()) for each in request.files.getlist("files") if each.filename
        )
        if not given.receipts:
            response = Response(shown("check", nothing_came=True), 400)
        else:
            verdict = verdicts.judge(given, keys.authority_pem, keys.log_key, city)
            log.info("receipts-checked", accepted=verdict.accepted, refused=len(verdict.receipts) - verdict.accepted)
            response = Response(shown("verdict", verdict=verdict, checks=verdicts.CHECKS))
        response.headers["Cache-Control"] = PRIVATE
        return response

    def log_page() -> str:
        try:
            checkpoint = the_log.checkpoint().decode()
        except Refusal:
            checkpoint = ""
        return shown("log", checkpoint=checkpoint)

    app.add_url_rule(f"{prefix}/", f"{language}.home", home)
    app.add_url_rule(f"{prefix}/sprawdz", f"{language}.check", check)
    app.add_url_rule(f"{prefix}/sprawdz", f"{language}.checked", checked, methods=["POST"])
    app.add_url_rule(f"{prefix}/log/", f"{language}.log", log_page)


def _add_files(app: Flask, keys: Keys) -> None:
    @app.get("/log/log.vkey")
    def log_key() -> Response:
        return Response(keys.log_key + "\n", content_type="text/plain; charset=utf-8")

    @app.get("/log/ca.pem")
    def authority() -> Response:
        return Response(keys.authority_pem, content_type="application/x-pem-file")

    @app.get("/robots.txt")
    def robots() -> Response:
        words = "User-agent: *\nDisallow: /log/tile/\nDisallow: /zdrowie\n"
        return Response(words, content_type="text/plain; charset=utf-8")


def _add_health(app: Flask, the_log: public_log.Log) -> None:
    @app.get("/zdrowie")
    def health() -> tuple[Response, int]:
        try:
            the_log.checkpoint()
            receipts = "ok"
        except Refusal:
            receipts = "away"
        return jsonify(web="ok", receipts=receipts), 200 if receipts == "ok" else 503


def _add_troubles(app: Flask) -> None:
    def answered(code: int) -> Response:
        response = Response(trouble_page(app, code), code)
        response.headers["Cache-Control"] = PRIVATE
        if code == 503:
            response.headers["Retry-After"] = "10"
        return response

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        response = answered(error.code or 500)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    @app.errorhandler(Refusal)
    def refusal(error: Refusal) -> Response:
        return answered(_CODES[type(error)])

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The place and the kind, never the text: it may quote what someone uploaded.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("unexpected", kind=type(error).__name__, place=f"{place.filename}:{place.lineno}")
        return answered(500)
