import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.*;
import java.util.*;
import javax.net.ssl.*;

/** Java's SSLSocket as a peer of interop tests; see README.md. It updates its keys after some records, by its key limits. */
public class TlsPeer {
    private static final int PIECE = 10_000;

    public static void main(String[] args) throws Exception {
        Security.setProperty("jdk.tls.keyLimits", "AES/GCM/NoPadding KeyUpdate 40000, ChaCha20-Poly1305 KeyUpdate 40000");
        if (args[0].equals("client"))
            client(Integer.parseInt(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]), args[4], args[5], args[6]);
        else
            server(Integer.parseInt(args[1]), args[2], args[3], args[4]);
        System.out.println("done.");
    }

    private static SSLContext context(String certificate, String key, String root) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("root", certificates(root)[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        byte[] der = Base64.getMimeDecoder().decode(Files.readString(Path.of(key)).replaceAll("-----[A-Z ]*-----", ""));
        X509Certificate[] chain = certificates(certificate);
        PrivateKey privateKey = KeyFactory.getInstance(chain[0].getPublicKey().getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(der));
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("own", privateKey, new char[0], chain);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, new char[0]);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static void client(int port, int count, int bytes, String root, String certificate, String key) throws Exception {
        SSLContext context = context(certificate, key, root);
        for (int i = 0; i < count; i++) {
            Socket tcp = new Socket("127.0.0.1", port);
            tcp.setTcpNoDelay(true);
            try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(tcp, "server.example", port, true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                parameters.setApplicationProtocols(new String[] { "http/1.1" });
                socket.setSSLParameters(parameters);
                exchange(socket, bytes);
            }
        }
    }

    private static void exchange(SSLSocket socket, int bytes) throws IOException {
        Random random = new Random(bytes);
        for (int done = 0; done < bytes;) {
            byte[] piece = new byte[Math.min(1 + random.nextInt(PIECE), bytes - done)];
            random.nextBytes(piece);
            socket.getOutputStream().write(piece);
            if (!Arrays.equals(piece, socket.getInputStream().readNBytes(piece.length)))
                throw new IOException("Something else came back.");
            done += piece.length;
        }
        if (socket.getInputStream().read() != -1)
            throw new IOException("More came back.");
    }

    private static void server(int count, String certificate, String key, String root) throws Exception {
        SSLContext context = context(certificate, key, root);
        try (SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            System.out.println("port " + listener.getLocalPort() + ".");
            for (int i = 0; i < count; i++) {
                try (SSLSocket socket = (SSLSocket) listener.accept()) {
                    socket.setTcpNoDelay(true);
                    socket.setWantClientAuth(true);
                    System.out.println("client: " + (hasCertificate(socket) ? "certificate" : "none"));
                    byte[] buffer = new byte[PIECE];
                    for (int length; (length = socket.getInputStream().read(buffer)) != -1;)
                        socket.getOutputStream().write(buffer, 0, length);
                }
            }
        }
    }

    private static boolean hasCertificate(SSLSocket socket) {
        try {
            // getSession does the handshake.
            return socket.getSession().getPeerCertificates().length != 0;
        } catch (SSLPeerUnverifiedException e) {
            return false;
        }
    }

    private static X509Certificate[] certificates(String file) throws Exception {
        try (InputStream stream = new FileInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(stream).toArray(new X509Certificate[0]);
        }
    }
}
