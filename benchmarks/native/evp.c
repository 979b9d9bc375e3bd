/*
 * OpenSSL's EVP at its best: the cipher fetched once, one context per key that is keyed once and only gets another nonce per packet.
 */
#include "peer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

static const char *const names[] = {
    [CP_AEAD_AES_128_GCM] = "AES-128-GCM",
    [CP_AEAD_AES_256_GCM] = "AES-256-GCM",
    [CP_AEAD_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
};
static EVP_CIPHER *ciphers[sizeof names / sizeof names[0]];

__attribute__((constructor)) static void fetch(void) {
    for (size_t i = CP_AEAD_AES_128_GCM; i <= CP_AEAD_CHACHA20_POLY1305; i++)
        ciphers[i] = EVP_CIPHER_fetch(NULL, names[i], NULL);
}

const char *peer_version(void) { return OpenSSL_version(OPENSSL_VERSION); }

int peer_supports(uint8_t algorithm) { return algorithm < sizeof ciphers / sizeof ciphers[0] && ciphers[algorithm] != NULL; }

void *peer_new_key(uint8_t algorithm, uint8_t direction, const uint8_t *raw) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context != NULL && EVP_CipherInit_ex(context, ciphers[algorithm], NULL, raw, NULL, direction == CP_AEAD_SEAL) != 1) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    return context;
}

void peer_free_key(void *key) { EVP_CIPHER_CTX_free(key); }

/* The nonce, the AAD and the text, which both directions have in common. */
static int process(EVP_CIPHER_CTX *context, const cp_aead_operation *operation, int encrypt) {
    int written = 0;
    return EVP_CipherInit_ex(context, NULL, NULL, NULL, operation->nonce, encrypt) == 1 &&
           EVP_CipherUpdate(context, NULL, &written, operation->inline_aad, operation->aad_length) == 1 &&
           EVP_CipherUpdate(context, operation->destination, &written, operation->source, (int)operation->length) == 1;
}

static int seal(EVP_CIPHER_CTX *context, const cp_aead_operation *operation) {
    int written = 0;
    uint8_t *tag = operation->destination + operation->length;
    return process(context, operation, 1) && EVP_CipherFinal_ex(context, tag, &written) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CP_AEAD_TAG_SIZE, tag) == 1;
}

static int open(EVP_CIPHER_CTX *context, const cp_aead_operation *operation) {
    int written = 0;
    void *tag = (void *)(operation->source + operation->length);
    return process(context, operation, 0) && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CP_AEAD_TAG_SIZE, tag) == 1 &&
           EVP_CipherFinal_ex(context, operation->destination + operation->length, &written) == 1;
}

void peer_run(uint8_t algorithm, uint8_t direction, cp_aead_operation *operations, size_t count) {
    (void)algorithm; /* the contexts know */
    for (size_t i = 0; i < count; i++) {
        cp_aead_operation *operation = &operations[i];
        EVP_CIPHER_CTX *context = (EVP_CIPHER_CTX *)operation->key;
        int good = direction == CP_AEAD_SEAL ? seal(context, operation) : open(context, operation);
        operation->status = good ? CP_AEAD_SUCCESS : CP_AEAD_AUTHENTICATION_FAILED;
    }
}
