"""Timestamp authorities on this machine: one that answers as told, and a real one by OpenSSL."""

from __future__ import annotations

import contextlib
import functools
import http.server
import subprocess
import threading

TYPE = "application/timestamp-query"
CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = made by the command line
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[authority]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "config")


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, answer, seen, *arguments):
        self.answer, self.seen = answer, seen
        super().__init__(*arguments)

    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers["Content-Type"], query))
        answer = self.answer(query)
        status, headers, pieces = (200, {}, answer) if not isinstance(answer, tuple) else answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked may have gone
            for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                self.wfile.write(piece)
                self.wfile.flush()

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def serving(answer):
    """Answer each request by ANSWER(query): bytes, pieces of them, or status, headers and bytes.

    Give the address, and a list of what was asked: content type and query.
    """
    seen = []
    handler = functools.partial(_Handler, answer, seen)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr", seen
    finally:
        server.shutdown()
        server.server_close()


class OpenSslAuthority:
    """A root, another one that it vouches for, and a signer; `root` is the root's file.

    CHAIN: the answers hold the certificate between root and signer too.
    """

    def __init__(self, folder, *, chain=True):
        self.folder, self.chain = folder, chain
        folder.mkdir(parents=True)
        (folder / "config").write_text(CONFIG, encoding="utf-8")
        (folder / "serial").write_text("01\n", encoding="utf-8")
        self.root = folder / "root.pem"
        self._call("req", "-x509", *KEY, "-subj", "/CN=Local Root", "-days", "30",
                   "-extensions", "root", "-keyout", "root.key", "-out", "root.pem")  # fmt: skip
        self._certify("middle", "Local Middle", by="root", extensions="root")
        self._certify("signer", "Local Authority", by="middle", extensions="signer")

    def answer(self, query):
        """Give the answer to QUERY."""
        (self.folder / "query").write_bytes(query)
        self._call("ts", "-reply", "-queryfile", "query", "-signer", "signer.pem",
                   "-inkey", "signer.key", "-config", "config", "-section", "authority",
                   *(["-chain", "middle.pem"] if self.chain else []), "-out", "answer")  # fmt: skip
        return (self.folder / "answer").read_bytes()

    def _certify(self, name, subject, *, by, extensions):
        self._call("req", *KEY, "-subj", f"/CN={subject}", "-keyout", f"{name}.key",
                   "-out", f"{name}.ask")  # fmt: skip
        self._call("x509", "-req", "-in", f"{name}.ask", "-CA", f"{by}.pem", "-CAkey",
                   f"{by}.key", "-set_serial", "7", "-days", "30", "-extfile", "config",
                   "-extensions", extensions, "-out", f"{name}.pem")  # fmt: skip

    def _call(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)
