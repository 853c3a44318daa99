"""How the hub starts a plugin, and how the plugin learns that the hub is gone.

The hub sets some variables, runs the file and reads one line from its stdout:

    1|1|unix|/path/of/socket|grpc|certificate

These are go-plugin's core protocol, the chosen version of ours, where the plugin
listens, how it speaks, and its TLS certificate (DER, base64 without padding).
From then on stdout stays silent; stderr is the log.
"""

import base64
import datetime
import os
import signal
import sys
import tempfile
import threading

PROTOCOL = 1  # the major version of connector.proto that this code speaks
COOKIE = ("PROVHUB_PLUGIN_COOKIE", "d5b9a5f1-connector")
LIFELINE = "PROVHUB_PLUGIN_LIFELINE"
MAX_MESSAGE = 16 << 20


def serve(connector):
    """Serves a connector class as a plugin; returns when the hub asks it to end."""
    name, value = COOKIE
    if os.environ.get(name) != value:
        sys.exit(f"{connector.DISPLAY_NAME} {connector.VERSION} is a plugin of provhub (connector type {connector.TYPE!r}).\n"
                 "It does nothing when it is started by hand; provhub starts it. Test it with: provhub plugin test FILE")
    offered = os.environ.get("PLUGIN_PROTOCOL_VERSIONS", "1").split(",")
    if str(PROTOCOL) not in offered:
        sys.exit(f"the hub offers protocol {', '.join(offered)}; this plugin speaks {PROTOCOL}: install a plugin for this provhub")
    watch_lifeline()
    os.umask(0o077)  # the socket is nobody else's business

    import grpc  # late: who starts it by hand need not wait for it

    from .service import new_server

    certificate, key = self_signed()
    folder = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp(prefix="plugin-")
    path = os.path.join(folder, f"python-{os.getpid()}.sock")
    # Only the hub has the key to the certificate that it sent: nobody else gets in.
    credentials = grpc.ssl_server_credentials(
        [(key, certificate_pem(certificate))],
        root_certificates=os.environ["PLUGIN_CLIENT_CERT"].encode(), require_client_auth=True,
    ) if "PLUGIN_CLIENT_CERT" in os.environ else None
    server, ended = new_server(connector, MAX_MESSAGE)
    if credentials:
        server.add_secure_port(f"unix:{path}", credentials)
    else:
        server.add_insecure_port(f"unix:{path}")
    server.start()
    encoded = base64.b64encode(certificate).decode().rstrip("=") if credentials else ""
    print(f"1|{PROTOCOL}|unix|{path}|grpc|{encoded}", flush=True)
    ended.wait()
    server.stop(grace=1).wait()


def watch_lifeline():
    """Ends the process when the hub is gone: a plugin that writes on without one could write twice."""
    for fd in range(3, 64):  # what the hub handed over is not for children
        try:
            os.set_inheritable(fd, False)
        except OSError:
            pass
    number = os.environ.pop(LIFELINE, "")
    if not number.isdigit():
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a service manager sends it to the whole family

    def wait():
        while os.read(int(number), 1):  # nothing is ever written: it ends when the other end closes
            pass
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def self_signed():
    """Makes a certificate for this process alone; returns it (DER) and its key (PEM)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (certificate.public_bytes(serialization.Encoding.DER),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def certificate_pem(der):
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n".encode()
