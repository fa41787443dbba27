"""A TLS client that takes any server: IDENTITY-FOLDER PORT. Connects twice, the second time with the session of the first,
and prints whether it was resumed, or that it was refused."""

import pathlib
import socket
import ssl
import sys

folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
# Weak keys are for the server to refuse.
context.set_ciphers("DEFAULT@SECLEVEL=0")
context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
context.set_alpn_protocols(["h2"])


def connect(session):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    with context.wrap_socket(connection, session=session) as stream:
        stream.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0")
        # The settings of the server, behind its tickets if it sends any.
        if not stream.recv(1024):
            raise ssl.SSLError("closed without an answer")
        return stream.version(), stream.session_reused, stream.session


try:
    _, _, session = connect(None)
    version, resumed, _ = connect(session)
    print(f"{version} resumed={resumed}")
except (ssl.SSLError, ConnectionError) as error:
    print(f"refused: {error}")
