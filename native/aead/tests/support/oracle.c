#include "oracle.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cp_oracle {
    EVP_CIPHER_CTX *context;
    uint8_t algorithm;
};

/* A test without its oracle is worth nothing: this ends the program. */
static void must(int ok, const char *what) {
    if (!ok) {
        printf("libcrypto failed: %s\n", what);
        exit(2);
    }
}

/* Fetched once: a fetch by name for every key would cost more than the sealing. */
static const EVP_CIPHER *cipher_of(uint8_t algorithm) {
    static EVP_CIPHER *fetched[4];
    static const char *const names[4] = {NULL, "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
    if (fetched[algorithm] == NULL)
        fetched[algorithm] = EVP_CIPHER_fetch(NULL, names[algorithm], NULL);
    must(fetched[algorithm] != NULL, "EVP_CIPHER_fetch");
    return fetched[algorithm];
}

const char *cp_algorithm_name(uint8_t algorithm) {
    static const char *const names[4] = {"no algorithm", "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
    return names[algorithm & 3];
}

cp_oracle *cp_oracle_new(uint8_t algorithm, const uint8_t *raw) {
    cp_oracle *oracle = malloc(sizeof *oracle);
    must(oracle != NULL, "malloc");
    oracle->context = EVP_CIPHER_CTX_new();
    oracle->algorithm = algorithm;
    must(oracle->context != NULL, "EVP_CIPHER_CTX_new");
    must(EVP_EncryptInit_ex2(oracle->context, cipher_of(algorithm), raw, NULL, NULL), "EVP_EncryptInit_ex2");
    return oracle;
}

void cp_oracle_set_key(cp_oracle *oracle, const uint8_t *raw) {
    must(EVP_EncryptInit_ex2(oracle->context, NULL, raw, NULL, NULL), "EVP_EncryptInit_ex2 with a key");
}

void cp_oracle_free(cp_oracle *oracle) {
    EVP_CIPHER_CTX_free(oracle->context);
    free(oracle);
}

void cp_oracle_seal(cp_oracle *oracle, const uint8_t *nonce, const uint8_t *aad, size_t aad_length, const uint8_t *in, size_t length,
                    uint8_t *out) {
    int written = 0;
    must(EVP_EncryptInit_ex2(oracle->context, NULL, NULL, nonce, NULL), "EVP_EncryptInit_ex2 with a nonce");
    if (aad_length > 0)
        must(EVP_EncryptUpdate(oracle->context, NULL, &written, aad, (int)aad_length), "EVP_EncryptUpdate of AAD");
    if (length > 0)
        must(EVP_EncryptUpdate(oracle->context, out, &written, in, (int)length), "EVP_EncryptUpdate");
    must(EVP_EncryptFinal_ex(oracle->context, out + length, &written), "EVP_EncryptFinal_ex");
    must(EVP_CIPHER_CTX_ctrl(oracle->context, EVP_CTRL_AEAD_GET_TAG, CP_AEAD_TAG_SIZE, out + length), "EVP_CTRL_AEAD_GET_TAG");
}

void cp_oracle_aes_block(const uint8_t *raw, int key_size, const uint8_t in[16], uint8_t out[16]) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written;
    must(context != NULL, "EVP_CIPHER_CTX_new");
    must(EVP_EncryptInit_ex2(context, key_size == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(), raw, NULL, NULL), "AES");
    EVP_CIPHER_CTX_set_padding(context, 0);
    must(EVP_EncryptUpdate(context, out, &written, in, 16) && written == 16, "AES block");
    EVP_CIPHER_CTX_free(context);
}

void cp_oracle_chacha20(const uint8_t raw[32], uint32_t counter, const uint8_t nonce[12], uint8_t *out, size_t count) {
    /* EVP_chacha20 takes the counter, little-endian, in front of the nonce. */
    uint8_t iv[16] = {(uint8_t)counter, (uint8_t)(counter >> 8), (uint8_t)(counter >> 16), (uint8_t)(counter >> 24)};
    int written;
    memcpy(iv + 4, nonce, 12);
    memset(out, 0, count);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    must(context != NULL, "EVP_CIPHER_CTX_new");
    must(EVP_EncryptInit_ex2(context, EVP_chacha20(), raw, iv, NULL), "ChaCha20");
    must(EVP_EncryptUpdate(context, out, &written, out, (int)count), "ChaCha20 key stream");
    EVP_CIPHER_CTX_free(context);
}
