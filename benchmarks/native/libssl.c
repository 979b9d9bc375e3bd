/*
 * OpenSSL's libssl as programs use it that do their own I/O: a client and a server in one thread, joined by two memory BIOs. Everything that
 * the benchmark times is one call from C#.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef struct {
    SSL_CTX *client_context, *server_context;
    SSL *client, *server;
    SSL_SESSION *session;
    uint8_t pin[SHA256_DIGEST_LENGTH];
    uint8_t received[SSL3_RT_MAX_PLAIN_LENGTH];
} peer_tls;

static int digest_key(X509 *certificate, uint8_t *digest) {
    uint8_t *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (length <= 0)
        return 0;
    SHA256(der, (size_t)length, digest);
    OPENSSL_free(der);
    return 1;
}

/* Instead of a chain: the certificate must have the key that is known. */
static int verify_pin(X509_STORE_CTX *store, void *argument) {
    uint8_t digest[SHA256_DIGEST_LENGTH];
    const peer_tls *peer = argument;
    return digest_key(X509_STORE_CTX_get0_cert(store), digest) && CRYPTO_memcmp(digest, peer->pin, sizeof digest) == 0;
}

static X509 *read_certificate(const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

static int use_certificate(peer_tls *peer, const char *certificate_pem, const char *key_pem) {
    X509 *certificate = read_certificate(certificate_pem);
    BIO *bio = BIO_new_mem_buf(key_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    int right = certificate != NULL && key != NULL && digest_key(certificate, peer->pin) &&
                SSL_CTX_use_certificate(peer->server_context, certificate) == 1 && SSL_CTX_use_PrivateKey(peer->server_context, key) == 1;
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(certificate);
    return right;
}

/* A root to build a chain to, and the name that the certificate must have. */
static int trust(peer_tls *peer, const char *root_pem) {
    X509 *root = read_certificate(root_pem);
    int right = root != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(peer->client_context), root) == 1;
    X509_free(root);
    return right;
}

EXPORT const char *peer_version(void) { return OpenSSL_version(OPENSSL_VERSION); }

/* libssl resumes no session whose connection was thrown away without having been shut down. */
static void end(peer_tls *peer) {
    if (peer->client != NULL)
        SSL_set_shutdown(peer->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(peer->client);
    SSL_free(peer->server);
    peer->client = peer->server = NULL;
}

EXPORT void peer_tls_free(peer_tls *peer) {
    if (peer == NULL)
        return;
    end(peer);
    SSL_SESSION_free(peer->session);
    SSL_CTX_free(peer->client_context);
    SSL_CTX_free(peer->server_context);
    OPENSSL_free(peer);
}

/*
 * Client and server for TLS 1.3 with one suite and one group; the server gives so many tickets for each connection. Without a root the
 * client knows the server by its key. NULL where something is not to be had.
 */
EXPORT peer_tls *peer_tls_new(const char *suite, const char *group, const char *certificate, const char *key, const char *root, int tickets) {
    peer_tls *peer = OPENSSL_zalloc(sizeof *peer);
    if (peer == NULL)
        return NULL;
    peer->client_context = SSL_CTX_new(TLS_client_method());
    peer->server_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX *both[] = {peer->client_context, peer->server_context};
    for (int i = 0; i < 2; i++) {
        if (both[i] == NULL || SSL_CTX_set_min_proto_version(both[i], TLS1_3_VERSION) != 1 || SSL_CTX_set_ciphersuites(both[i], suite) != 1 ||
            SSL_CTX_set1_groups_list(both[i], group) != 1)
            goto failed;
    }
    if (!use_certificate(peer, certificate, key) || SSL_CTX_set_num_tickets(peer->server_context, (size_t)tickets) != 1)
        goto failed;
    SSL_CTX_set_session_cache_mode(peer->server_context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(peer->client_context, SSL_VERIFY_PEER, NULL);
    if (root == NULL)
        SSL_CTX_set_cert_verify_callback(peer->client_context, verify_pin, peer);
    else if (!trust(peer, root))
        goto failed;
    return peer;
failed:
    ERR_print_errors_fp(stderr);
    peer_tls_free(peer);
    return NULL;
}

/* A connection past its handshake, and one byte from the server to the client behind it, with which the client has read tickets. */
static int connect_both(peer_tls *peer, const char *name, int resume) {
    BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
    peer->client = SSL_new(peer->client_context);
    peer->server = SSL_new(peer->server_context);
    if (up == NULL || down == NULL || peer->client == NULL || peer->server == NULL)
        return 0;
    BIO_set_mem_eof_return(up, -1);
    BIO_set_mem_eof_return(down, -1);
    BIO_up_ref(up);
    BIO_up_ref(down);
    SSL_set_bio(peer->client, down, up);
    SSL_set_bio(peer->server, up, down);
    SSL_set_connect_state(peer->client);
    SSL_set_accept_state(peer->server);
    if (SSL_set_tlsext_host_name(peer->client, name) != 1 || SSL_set1_host(peer->client, name) != 1)
        return 0;
    if (resume && (peer->session == NULL || SSL_set_session(peer->client, peer->session) != 1))
        return 0;
    for (int turn = 0; turn < 8 && !(SSL_is_init_finished(peer->client) && SSL_is_init_finished(peer->server)); turn++) {
        SSL *ssl = turn % 2 == 0 ? peer->client : peer->server;
        int result = SSL_do_handshake(ssl);
        if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
            return 0;
    }
    uint8_t byte = 1;
    return SSL_write(peer->server, &byte, 1) == 1 && SSL_read(peer->client, peer->received, 1) == 1 && peer->received[0] == byte &&
           SSL_session_reused(peer->client) == resume;
}

/* One handshake from its beginning to its end. 1 if it was as it should be. */
EXPORT int peer_tls_handshake(peer_tls *peer, const char *name, int resume) {
    int right = connect_both(peer, name, resume);
    if (right) {
        SSL_SESSION_free(peer->session);
        peer->session = SSL_get1_session(peer->client);
    } else {
        ERR_print_errors_fp(stderr);
    }
    end(peer);
    return right;
}

/* A connection for records, which stays. */
EXPORT int peer_tls_connect(peer_tls *peer, const char *name) {
    end(peer);
    return connect_both(peer, name, 0);
}

/* Writes so many records; contents come in turn from so many buffers. 1 if all were written. */
EXPORT int peer_tls_write(peer_tls *peer, const uint8_t *contents, size_t stride, int buffers, int count, int length) {
    for (int i = 0; i < count; i++) {
        if (SSL_write(peer->client, contents + (size_t)(i % buffers) * stride, length) != length)
            return 0;
    }
    return 1;
}

/* Reads so many records. 1 if each was there, with so many bytes. */
EXPORT int peer_tls_read(peer_tls *peer, int count, int length) {
    for (int i = 0; i < count; i++) {
        if (SSL_read(peer->server, peer->received, (int)sizeof peer->received) != length)
            return 0;
    }
    return 1;
}
