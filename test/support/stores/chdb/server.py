"""The HTTP interface of ClickHouse, as far as chatfeed uses it, before chdb, the same engine in this process: FOLDER

Settings of an insert go into the statement. Prints its port. One statement at a time; no users, no replicas.
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from chdb import session

engine = session.Session(sys.argv[1])
lock = Lock()
OF_HTTP = {"query", "wait_end_of_query", "max_query_size"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        statement = parameters.get("query", "")
        if statement:
            settings = ", ".join(f"{name} = {value_of(text)}" for name, text in parameters.items() if name not in OF_HTTP)
            head, form = statement.rsplit(" format ", 1)
            body = f"{head} settings {settings} format {form}\n{body}"
        try:
            with lock:
                answer = engine.query(body).bytes()
            self.answer(200, answer)
        except Exception as error:
            code = re.search(r"Code: (\d+)", str(error))
            self.answer(500, str(error).encode(), code and code.group(1))

    def answer(self, status, body, code=None):
        self.send_response(status)
        if code:
            self.send_header("x-clickhouse-exception-code", code)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def value_of(text):
    if re.fullmatch(r"\d+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
