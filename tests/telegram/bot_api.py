"""A played Bot API on loopback, its updates, chats and files. Tests arrange here what goes wrong."""

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

TOKEN = "4711:played-token"
Json = dict[str, Any]
# Looks at a call's parameters; returns None to let it pass, or a response of its own.
Hook = Callable[[Json], Response | None]


class Refused(Exception):
    """The Bot API refuses a call."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.body = {"ok": False, "error_code": code, "description": description} | (
            {"parameters": parameters} if parameters else {}
        )
        self.code = code


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


class BotApi:
    """The server: updates as Telegram keeps them, until an offset confirms them; chats as people see them."""

    def __init__(self) -> None:
        self.me = {"id": 4711, "is_bot": True, "first_name": "Zwrotka", "username": "zwrotka_bot"}
        self.calls: list[tuple[str, Json]] = []
        self.files: dict[str, bytes] = {}
        self.messages: dict[int, dict[int, Json]] = defaultdict(dict)
        self.blocked: set[int] = set()
        self._updates: list[Json] = []
        self._confirmed = 0
        self._next_update = 1000
        self._next_message = 1
        self._before: dict[str, list[Hook]] = defaultdict(list)
        self._after: dict[str, list[Hook]] = defaultdict(list)
        self.changed = threading.Condition(threading.RLock())
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Silent)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Opens it."""
        self._thread.start()

    def stop(self) -> None:
        """Closes it."""
        self._server.shutdown()
        self._server.server_close()

    # What tests arrange

    def before(self, method: str, hook: Hook) -> None:
        """Has `hook` look at the next call of a method before it is carried out."""
        self._before[method].append(hook)

    def after(self, method: str, hook: Hook) -> None:
        """Has `hook` look at the next call of a method after it was carried out, before it is answered."""
        self._after[method].append(hook)

    def hooks_left(self, method: str) -> bool:
        """Whether a hook still waits for a call of the method."""
        return bool(self._before[method] or self._after[method])

    def refuses(self, code: int, description: str) -> Hook:
        """A hook that refuses a call."""
        return lambda _: _json(code, Refused(code, description).body)

    def deliver(self, update: Json) -> int:
        """Queues an update; its id."""
        with self.changed:
            self._next_update += 1
            self._updates.append({"update_id": self._next_update, **update})
            self.changed.notify_all()
            return self._next_update

    def deliver_again(self, update_id: int) -> int:
        """Queues an update once more as a new one, as if Telegram had sent it twice; its new id."""
        with self.changed:
            update = next(each for each in self._updates if each["update_id"] == update_id)
            return self.deliver({name: value for name, value in update.items() if name != "update_id"})

    def is_confirmed(self, update_id: int) -> bool:
        """Whether the bot has told that it took the update."""
        return update_id < self._confirmed

    def wait_until(self, holds: Callable[[], Any], timeout_s: float = 20.0) -> Any:
        """Waits until something holds; what it gave. Fails with the last calls otherwise."""
        ends_at = time.monotonic() + timeout_s
        with self.changed:
            while not (value := holds()):
                left_s = ends_at - time.monotonic()
                assert left_s > 0, f"waited {timeout_s} s in vain; last calls: {[name for name, _ in self.calls[-8:]]}"
                self.changed.wait(min(left_s, 0.2))
            return value

    def wait_confirmed(self, update_id: int, timeout_s: float = 20.0) -> None:
        """Waits until the bot has told that it took the update."""
        self.wait_until(lambda: self.is_confirmed(update_id), timeout_s)

    # The server

    def _answer(self, environ: Json, start_response: Any) -> Any:
        request = Request(environ)
        if request.path.startswith("/file/bot"):
            response = self._file(request.path.removeprefix(f"/file/bot{TOKEN}/"))
        elif request.path.startswith(f"/bot{TOKEN}/"):
            response = self._call(request.path.rpartition("/")[2], _parameters(request), request)
        else:
            response = _json(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        if response.headers.pop("X-Drop", None):
            environ["werkzeug.socket"].shutdown(2)
        return response(environ, start_response)

    def _file(self, key: str) -> Response:
        answer = self._hooked(self._before["download"], {"file": key}) or Response(
            self.files.get(key, b""), status=200 if key in self.files else 404
        )
        return self._hooked(self._after["download"], {"file": key}) or answer

    def _call(self, method: str, parameters: Json, request: Request) -> Response:
        with self.changed:
            self.calls.append((method, parameters))
            self.changed.notify_all()
        if response := self._hooked(self._before[method], parameters):
            return response
        try:
            result = getattr(self, "_" + re.sub("([A-Z])", r"_\1", method).lower())(parameters, request)
        except Refused as refused:
            return _json(refused.code, refused.body)
        answer = _json(200, {"ok": True, "result": result})
        return self._hooked(self._after[method], parameters) or answer

    def _hooked(self, hooks: list[Hook], parameters: Json) -> Response | None:
        return hooks.pop(0)(parameters) if hooks else None

    def _get_me(self, _: Json, __: Request) -> Json:
        return self.me

    def _delete_webhook(self, _: Json, __: Request) -> bool:
        return True

    def _set_my_commands(self, _: Json, __: Request) -> bool:
        return True

    def _get_updates(self, parameters: Json, _: Request) -> list[Json]:
        ends_at = time.monotonic() + float(parameters.get("timeout", 0))
        with self.changed:
            self._confirmed = max(self._confirmed, int(parameters.get("offset") or 0))
            self.changed.notify_all()
            while True:
                waiting = [each for each in self._updates if each["update_id"] >= self._confirmed]
                left_s = ends_at - time.monotonic()
                if waiting or left_s <= 0:
                    return waiting[: int(parameters.get("limit", 100))]
                self.changed.wait(min(left_s, 0.5))

    def _send_message(self, parameters: Json, _: Request) -> Json:
        assert 0 < len(parameters["text"]) <= 4096
        return self._shown(parameters, {"text": parameters["text"]})

    def _send_document(self, parameters: Json, request: Request) -> Json:
        return self._shown(parameters, self._document(parameters["document"], parameters.get("caption"), request))

    def _send_media_group(self, parameters: Json, request: Request) -> list[Json]:
        media = parameters["media"]
        assert 2 <= len(media) <= 10
        group = f"group-{self._next_message}"
        return [
            self._shown(
                parameters, self._document(each["media"], each.get("caption"), request) | {"media_group_id": group}
            )
            for each in media
        ]

    def _edit_message_text(self, parameters: Json, _: Request) -> Json:
        with self.changed:
            message = self._bots_own(parameters)
            markup = parameters.get("reply_markup")
            if message["text"] == parameters["text"] and message.get("reply_markup") == markup:
                raise Refused(400, "Bad Request: message is not modified: specified new message content is the same")
            message |= {"text": parameters["text"], "edit_date": int(time.time())}
            message.pop("reply_markup", None)
            if markup:
                message["reply_markup"] = markup
            self.changed.notify_all()
            return message

    def _answer_callback_query(self, _: Json, __: Request) -> bool:
        return True

    def _delete_message(self, parameters: Json, _: Request) -> bool:
        with self.changed:
            chat = self.messages[int(parameters["chat_id"])]
            if int(parameters["message_id"]) not in chat:
                raise Refused(400, "Bad Request: message to delete not found")
            del chat[int(parameters["message_id"])]
            return True

    def _get_file(self, parameters: Json, _: Request) -> Json:
        key = parameters["file_id"]
        if len(self.files[key]) > 20 << 20:
            raise Refused(400, "Bad Request: file is too big")
        return {"file_id": key, "file_unique_id": key, "file_path": key}

    def _bots_own(self, parameters: Json) -> Json:
        message = self.messages[int(parameters["chat_id"])].get(int(parameters["message_id"]))
        if message is None or message["from"]["id"] != self.me["id"]:
            raise Refused(400, "Bad Request: message to edit not found")
        return message

    def _document(self, given: str, caption: str | None, request: Request) -> Json:
        upload = request.files[given.removeprefix("attach://")]
        content = upload.read()
        assert caption is None or len(caption) <= 1024
        key = f"bots-{len(self.files)}"
        self.files[key] = content
        document = {"file_id": key, "file_unique_id": key, "file_name": upload.filename, "file_size": len(content)}
        return {"document": document} | ({"caption": caption} if caption else {})

    def _shown(self, parameters: Json, content: Json) -> Json:
        chat = int(parameters["chat_id"])
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        kind = "private" if chat > 0 else "group"
        message = {"chat": {"id": chat, "type": kind}, "from": self.me, **content}
        if "reply_parameters" in parameters:
            answered = self.messages[chat].get(parameters["reply_parameters"]["message_id"])
            if answered is None and not parameters["reply_parameters"].get("allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
            if answered is not None:
                message["reply_to_message"] = {k: v for k, v in answered.items() if k != "reply_to_message"}
        if "reply_markup" in parameters:
            message["reply_markup"] = parameters["reply_markup"]
        return self.put(message)

    def put(self, message: Json) -> Json:
        """Puts a message into its chat."""
        with self.changed:
            message = {"message_id": self._next_message, "date": int(time.time()), **message}
            self._next_message += 1
            self.messages[message["chat"]["id"]][message["message_id"]] = message
            self.changed.notify_all()
            return message

    def add_file(self, content: bytes) -> str:
        """Keeps a file that somebody sends; its id."""
        with self.changed:
            key = f"file-{len(self.files)}"
            self.files[key] = content
            return key


def dropped(_: Json) -> Response:
    """A hook that ends the connection without an answer."""
    return Response(headers={"X-Drop": "1"})


def flooded(retry_after_s: int) -> Hook:
    """A hook that asks for a pause."""

    def hook(_: Json) -> Response:
        refused = Refused(429, f"Too Many Requests: retry after {retry_after_s}", retry_after=retry_after_s)
        return _json(429, refused.body)

    return hook


@contextmanager
def played() -> Iterator[BotApi]:
    """An open Bot API."""
    api = BotApi()
    api.start()
    try:
        yield api
    finally:
        api.stop()


def _json(status: int, body: Json) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def _parameters(request: Request) -> Json:
    parameters: Json = dict(request.form)
    for name in ("reply_markup", "reply_parameters", "media", "allowed_updates"):
        if name in parameters:
            parameters[name] = json.loads(parameters[name])
    return parameters
