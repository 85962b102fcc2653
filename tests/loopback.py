"""An HTTP server on loopback, for tests of what fetches from elsewhere."""

import http.server
import threading
from collections.abc import Callable

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Server:
    """An HTTP server on loopback whose paths answer as a test says."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.stalled = threading.Event()  # set when the test is over
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.answers.get(self.path, not_found)(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        self.stalled.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def not_found(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_error(404)


def body(data: bytes, kind: str = "application/octet-stream", announced: int = 0) -> Answer:
    """The data; with `announced`, as if there were so many bytes (a truncated answer)."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(announced or len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def stall(server: Server) -> Answer:
    return lambda handler: server.stalled.wait(60) and None


def faults(server: Server, data: bytes) -> dict[str, Answer]:
    """What can happen to a file on its way."""
    return {
        "404": not_found,
        "stalled": stall(server),
        "truncated": body(data[: len(data) // 2], announced=len(data)),
        "wrong bytes": body(data[:-1000] + bytes(1000)),
    }
