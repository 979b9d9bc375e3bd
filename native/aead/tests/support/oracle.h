/* What libcrypto (OpenSSL's EVP) makes of a message: the right answer of most tests. */
#ifndef CP_TEST_ORACLE_H
#define CP_TEST_ORACLE_H

#include "cryptoplane_aead.h"

typedef struct cp_oracle cp_oracle;

cp_oracle *cp_oracle_new(uint8_t algorithm, const uint8_t *raw);
void cp_oracle_set_key(cp_oracle *oracle, const uint8_t *raw);
void cp_oracle_free(cp_oracle *oracle);

/* Writes `length` bytes of ciphertext and the tag behind them. `in` and `out` may be the same. */
void cp_oracle_seal(cp_oracle *oracle, const uint8_t *nonce, const uint8_t *aad, size_t aad_length, const uint8_t *in, size_t length,
                    uint8_t *out);

/* One AES block, with a key of 16 or 32 bytes. */
void cp_oracle_aes_block(const uint8_t *raw, int key_size, const uint8_t in[16], uint8_t out[16]);

/* `count` bytes of ChaCha20's key stream from block `counter` on (RFC 8439 §2.4). */
void cp_oracle_chacha20(const uint8_t raw[32], uint32_t counter, const uint8_t nonce[12], uint8_t *out, size_t count);

static inline size_t cp_key_size(uint8_t algorithm) { return algorithm == CP_AEAD_AES_128_GCM ? 16 : 32; }

const char *cp_algorithm_name(uint8_t algorithm);

#endif
