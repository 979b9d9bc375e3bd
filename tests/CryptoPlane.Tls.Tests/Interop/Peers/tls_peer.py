"""Python's ssl as a peer of interop tests; see README.md."""
import random
import socket
import ssl
import sys

PIECE = 10_000


def client(port, count, size, root, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(root)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    session = None
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port)) as tcp:
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = context.wrap_socket(tcp, server_hostname="server.example", session=session)
            done = 0
            while done < size:
                piece = random.randbytes(min(random.randint(1, PIECE), size - done))
                connection.sendall(piece)
                back = b""
                while len(back) < len(piece):
                    back += connection.recv(len(piece) - len(back))
                assert back == piece, "something else came back"
                done += len(piece)
            assert connection.recv(1) == b"", "more came back"
            session = connection.session
            connection.unwrap().close()


def server(count, certificate, key, root):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(root)
    context.verify_mode = ssl.CERT_OPTIONAL
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"port {listener.getsockname()[1]}.", flush=True)
        for _ in range(count):
            tcp, _ = listener.accept()
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = context.wrap_socket(tcp, server_side=True)
            print("client:", "certificate" if connection.getpeercert(True) else "none", flush=True)
            while data := connection.recv(PIECE):
                connection.sendall(data)
            connection.unwrap().close()


if sys.argv[1] == "client":
    client(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:8])
else:
    server(int(sys.argv[2]), *sys.argv[3:6])
print("done.", flush=True)
