"""Takes deliveries of a chatfeed webhook that are signed and not too old: SECRET=… python3 receive.py"""

import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

OLDEST_MS = 300_000
newest = {}


def is_signed(header, body):
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at = parts.get("t", "")
    expected = hmac.new(os.environ["SECRET"].encode(), f"{at}.".encode() + body, hashlib.sha256)
    is_recent = at.isdigit() and abs(time.time() * 1000 - int(at)) < OLDEST_MS
    return is_recent and hmac.compare_digest(expected.hexdigest(), parts.get("v1", ""))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if not is_signed(self.headers.get("chatfeed-signature", ""), body):
            self.send_response(401)
            self.end_headers()
            return
        for message in json.loads(body):
            if message["revision"] <= newest.get(message["id"], 0):
                continue  # it has come before
            newest[message["id"]] = message["revision"]
            print(message["id"], message["revision"], message["text"], flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver).serve_forever()
