"""Log lines that the hub reads: one JSON object a line on stderr."""

import base64
import json
import sys
import threading
import time
import urllib.parse

_lock = threading.Lock()


class Journal:
    """Logs for one instance, and takes its secrets out of everything that leaves the plugin."""

    def __init__(self, instance_id=""):
        self.instance_id = instance_id
        self._forms = []

    def know(self, secrets):
        """Remembers secrets for redact. Short ones would be found everywhere."""
        for value in secrets.values():
            if len(value) < 6:
                continue
            raw = value.encode()
            for form in (value, json.dumps(value)[1:-1], urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value),
                         base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")):
                if form not in self._forms:
                    self._forms.append(form)
        self._forms.sort(key=len, reverse=True)

    def redact(self, text):
        """Returns text without the secrets, however they are usually written."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text

    def write(self, level, message, **fields):
        """Logs one line. level is debug, info, warn or error."""
        line = {"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "@level": level, "@message": message,
                "instance": self.instance_id, **fields}
        text = self.redact(json.dumps(line, default=str))
        with _lock:
            print(text, file=sys.stderr, flush=True)
