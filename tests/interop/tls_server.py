"""A TLS server on a free port, which prints the port and completes handshakes: IDENTITY-FOLDER HIGHEST-VERSION."""

import pathlib
import socket
import ssl
import sys

folder = pathlib.Path(sys.argv[1])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[sys.argv[2]]
context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
context.set_alpn_protocols(["h2"])
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True):
                pass
        except OSError:
            pass
