#!/usr/bin/env python3
"""Takes provhub's webhooks and prints those that are signed: receive.py PORT < SECRET"""
import base64, hmac, http.server, json, sys, time


def signed(secret, headers, body):
    """Whether whoever knows the secret has sent this within five minutes (standardwebhooks.com)."""
    message, at = headers.get("Webhook-Id", ""), headers.get("Webhook-Timestamp", "0")
    if abs(time.time() - int(at)) > 300:
        return False  # somebody may send again what he has seen once
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    digest = hmac.digest(key, f"{message}.{at}.".encode() + body, "sha256")
    wanted = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(wanted, given) for given in headers.get("Webhook-Signature", "").split())


class Receiver(http.server.BaseHTTPRequestHandler):
    secret, seen = "", set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        ok = signed(self.secret, self.headers, body)
        self.send_response(204 if ok else 401)
        self.end_headers()
        message = json.loads(body) if ok else {"id": None}
        if ok and message["id"] not in self.seen:  # the same one may come again
            self.seen.add(message["id"])
            print(message["event"], message["severity"], message["condition"], message["summary"], message["what_to_do"], flush=True)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    Receiver.secret = sys.stdin.readline().strip()
    server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print("listening at port", server.server_port, flush=True)
    server.serve_forever()
