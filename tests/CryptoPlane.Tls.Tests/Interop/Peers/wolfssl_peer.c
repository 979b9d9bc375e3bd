// wolfSSL as a peer of interop tests; see README.md. It asks for new keys behind its first piece.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

enum { PIECE = 10000 };

static void check(int right, const char *what, WOLFSSL *ssl, int result)
{
    if (right)
        return;
    char text[WOLFSSL_MAX_ERROR_SZ] = "";
    if (ssl != NULL)
        wolfSSL_ERR_error_string((unsigned long)wolfSSL_get_error(ssl, result), text);
    fprintf(stderr, "wolfssl_peer: %s: %d %s\n", what, result, text);
    exit(1);
}

static void write_all(WOLFSSL *ssl, const char *data, int length)
{
    int written = wolfSSL_write(ssl, data, length);
    check(written == length, "wolfSSL_write", ssl, written);
}

// The bytes of one read; 0 behind the other side's close_notify.
static int read_some(WOLFSSL *ssl, char *data, int length)
{
    int count = wolfSSL_read(ssl, data, length);
    check(count > 0 || wolfSSL_get_error(ssl, count) == WOLFSSL_ERROR_ZERO_RETURN, "wolfSSL_read", ssl, count);
    return count > 0 ? count : 0;
}

static void exchange(WOLFSSL *ssl, int bytes)
{
    static char piece[PIECE], back[PIECE];
    for (int done = 0, length; done < bytes; done += length) {
        length = 1 + rand() % PIECE;
        if (length > bytes - done)
            length = bytes - done;
        for (int i = 0; i < length; i++)
            piece[i] = (char)rand();
        write_all(ssl, piece, length);
        for (int got = 0, count; got < length; got += count) {
            count = read_some(ssl, back + got, length - got);
            check(count > 0, "the end came early", NULL, got);
        }
        check(memcmp(piece, back, (size_t)length) == 0, "something else came back", NULL, 0);
        if (done == 0) {
            int result = wolfSSL_update_keys(ssl);
            check(result == WOLFSSL_SUCCESS, "wolfSSL_update_keys", ssl, result);
        }
    }
    check(read_some(ssl, back, 1) == 0, "more came back", NULL, 1);
}

static void use_certificate(WOLFSSL_CTX *context, const char *certificate, const char *key, const char *root)
{
    int result = wolfSSL_CTX_use_certificate_chain_file(context, certificate);
    check(result == WOLFSSL_SUCCESS, certificate, NULL, result);
    result = wolfSSL_CTX_use_PrivateKey_file(context, key, WOLFSSL_FILETYPE_PEM);
    check(result == WOLFSSL_SUCCESS, key, NULL, result);
    result = wolfSSL_CTX_load_verify_locations(context, root, NULL);
    check(result == WOLFSSL_SUCCESS, root, NULL, result);
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void without_delay(int tcp)
{
    int on = 1;
    setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void client(int port, int count, int bytes, const char *root, const char *certificate, const char *key)
{
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    int groups[] = { WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1 };
    WOLFSSL_SESSION *session = NULL;
    use_certificate(context, certificate, key, root);
    check(wolfSSL_CTX_set_groups(context, groups, 3) == WOLFSSL_SUCCESS, "wolfSSL_CTX_set_groups", NULL, 0);
    for (int i = 0; i < count; i++) {
        int tcp = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in address = loopback(port);
        char protocol[] = "http/1.1";
        check(connect(tcp, (struct sockaddr *)&address, sizeof address) == 0, "connect", NULL, tcp);
        without_delay(tcp);
        WOLFSSL *ssl = wolfSSL_new(context);
        wolfSSL_set_fd(ssl, tcp);
        wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, "server.example", strlen("server.example"));
        wolfSSL_check_domain_name(ssl, "server.example");
        wolfSSL_UseALPN(ssl, protocol, sizeof protocol - 1, WOLFSSL_ALPN_FAILED_ON_MISMATCH);
        wolfSSL_UseKeyShare(ssl, WOLFSSL_ECC_X25519);
        if (session != NULL) {
            wolfSSL_set_session(ssl, session);
            wolfSSL_SESSION_free(session);
        }
        int result = wolfSSL_connect(ssl);
        check(result == WOLFSSL_SUCCESS, "wolfSSL_connect", ssl, result);
        exchange(ssl, bytes);
        session = wolfSSL_get1_session(ssl);
        wolfSSL_shutdown(ssl);
        wolfSSL_free(ssl);
        close(tcp);
    }
    wolfSSL_SESSION_free(session);
    wolfSSL_CTX_free(context);
}

static void server(int count, const char *certificate, const char *key, const char *root)
{
    WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    use_certificate(context, certificate, key, root);
    wolfSSL_CTX_set_verify(context, WOLFSSL_VERIFY_PEER, NULL);
    check(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 10) == 0, "listen", NULL, listener);
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("port %d.\n", ntohs(address.sin_port));
    for (int i = 0; i < count; i++) {
        static char data[PIECE];
        int tcp = accept(listener, NULL, NULL);
        check(tcp >= 0, "accept", NULL, tcp);
        without_delay(tcp);
        WOLFSSL *ssl = wolfSSL_new(context);
        wolfSSL_set_fd(ssl, tcp);
        // A HelloRetryRequest then has a cookie, which our client must give back.
        wolfSSL_send_hrr_cookie(ssl, NULL, 0);
        int result = wolfSSL_accept(ssl);
        check(result == WOLFSSL_SUCCESS, "wolfSSL_accept", ssl, result);
        WOLFSSL_X509 *shown = wolfSSL_get_peer_certificate(ssl);
        printf("client: %s\n", shown != NULL ? "certificate" : "none");
        wolfSSL_X509_free(shown);
        for (int length, first = 1; (length = read_some(ssl, data, PIECE)) > 0; first = 0) {
            write_all(ssl, data, length);
            if (first) {
                result = wolfSSL_update_keys(ssl);
                check(result == WOLFSSL_SUCCESS, "wolfSSL_update_keys", ssl, result);
            }
        }
        wolfSSL_shutdown(ssl);
        wolfSSL_free(ssl);
        close(tcp);
    }
    close(listener);
    wolfSSL_CTX_free(context);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    wolfSSL_Init();
    if (argc == 8 && strcmp(argv[1], "client") == 0)
        client(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), argv[5], argv[6], argv[7]);
    else if (argc == 6 && strcmp(argv[1], "server") == 0)
        server(atoi(argv[2]), argv[3], argv[4], argv[5]);
    else
        return 2;
    puts("done.");
    wolfSSL_Cleanup();
    return 0;
}
