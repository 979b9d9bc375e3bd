/* Key blocks: FIPS 197's examples, an AES key schedule and GHASH's products written down as the standards define them, and the layout. */
#include "support/check.h"
#include "support/guard.h"
#include "support/oracle.h"
#include "support/program.h"
#include "support/random.h"

#include <stdio.h>
#include <string.h>

enum { RANDOM_KEYS = 200 };

/* The product in GF(2^8) (FIPS 197 §4.2). */
static uint8_t gf256_multiply(uint8_t a, uint8_t b) {
    uint8_t product = 0;
    for (int bit = 0; bit < 8; bit++) {
        if (b >> bit & 1)
            product ^= a;
        a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1B : 0));
    }
    return product;
}

/* SubBytes (FIPS 197 §5.1.1): the inverse, which is the 254th power, and an affine transformation. */
static uint8_t substitute(uint8_t value) {
    uint8_t inverse = 1, result = 0x63;
    for (int i = 0; i < 254; i++)
        inverse = gf256_multiply(inverse, value);
    for (int turn = 0; turn < 5; turn++)
        result ^= (uint8_t)(inverse << turn | inverse >> (8 - turn));
    return result;
}

/* KeyExpansion (FIPS 197 §5.2). */
static void expand_by_the_book(const uint8_t *raw, int key_words, uint8_t schedule[15][16]) {
    static uint8_t sbox[256];
    for (int i = 255; sbox[0] == 0 && i >= 0; i--)
        sbox[i] = substitute((uint8_t)i);
    uint8_t(*words)[4] = (uint8_t(*)[4])schedule, rcon = 1;
    memcpy(words, raw, (size_t)key_words * 4);
    for (int i = key_words; i < 4 * (key_words + 7); i++) {
        uint8_t next[4];
        memcpy(next, words[i - 1], 4);
        if (i % key_words == 0) {
            uint8_t first = next[0];
            next[0] = sbox[next[1]] ^ rcon, next[1] = sbox[next[2]], next[2] = sbox[next[3]], next[3] = sbox[first];
            rcon = gf256_multiply(rcon, 2);
        } else if (key_words > 6 && i % key_words == 4) {
            for (int b = 0; b < 4; b++)
                next[b] = sbox[next[b]];
        }
        for (int b = 0; b < 4; b++)
            words[i][b] = words[i - key_words][b] ^ next[b];
    }
}

/* X • Y (NIST SP 800-38D §6.3). */
static void ghash_multiply(uint8_t x[16], const uint8_t y[16]) {
    uint8_t z[16] = {0}, v[16];
    memcpy(v, y, 16);
    for (int bit = 0; bit < 128; bit++) {
        int carry = v[15] & 1;
        for (int i = 0; (x[bit / 8] >> (7 - bit % 8) & 1) && i < 16; i++)
            z[i] ^= v[i];
        for (int i = 15; i > 0; i--)
            v[i] = (uint8_t)(v[i] >> 1 | v[i - 1] << 7);
        v[0] = (uint8_t)(v[0] >> 1 ^ (carry ? 0xE1 : 0));
    }
    memcpy(x, z, 16);
}

/* mulX_POLYVAL(ByteReverse(power)) (RFC 8452, Appendix A), as two halves. */
static void as_polyval(const uint8_t power[16], uint64_t halves[2]) {
    uint64_t low = 0, high = 0;
    for (int i = 0; i < 8; i++) {
        high = high << 8 | power[i];
        low = low << 8 | power[8 + i];
    }
    uint64_t carry = high >> 63;
    halves[0] = low << 1 ^ carry;
    halves[1] = (high << 1 | low >> 63) ^ (carry ? 0xC200000000000000 : 0);
}

static void check_key(const cp_aead_key *key, uint8_t algorithm, const uint8_t *raw, const char *what) {
    int key_size = (int)cp_key_size(algorithm), rounds = key_size / 4 + 6;
    CHECK(key->algorithm == algorithm, "%s", what);
    uint8_t schedule[15][16], h[16], power[16];
    expand_by_the_book(raw, key_size / 4, schedule);
    CHECK(memcmp(key->round_keys, schedule, (size_t)(rounds + 1) * 16) == 0, "%s: round keys", what);

    const uint8_t zeros[16] = {0};
    cp_oracle_aes_block(raw, key_size, zeros, h);
    memcpy(power, h, 16);
    for (int i = 1; i <= CP_AEAD_HASH_POWERS; i++) {
        uint64_t halves[2];
        as_polyval(power, halves);
        CHECK(memcmp(key->hash_powers[CP_AEAD_HASH_POWERS - i], halves, 16) == 0, "%s: H^%d", what, i);
        /* Entry 2·l is the half sum of H^(8−l), entry 2·l + 1 that of H^(4−l). */
        const uint64_t *line = i <= 8 ? key->half_sums_low : key->half_sums_high[(i - 9) / 8];
        int in_line = (i - 1) % 8 + 1, entry = in_line > 4 ? 2 * (8 - in_line) : 2 * (4 - in_line) + 1;
        CHECK(line[entry] == (halves[0] ^ halves[1]), "%s: half sum of H^%d", what, i);
        ghash_multiply(power, h);
    }
}

/* A key block with forbidden pages at both ends. */
static cp_aead_key *guarded_key(int at_the_end) {
    static cp_guarded area;
    if (area.start == NULL)
        area = cp_guarded_new(CP_PAGE);
    memset(area.start, 0xA5, CP_PAGE);
    return (cp_aead_key *)(at_the_end ? area.end - sizeof(cp_aead_key) : area.start);
}

static void published_examples(void) {
    /* FIPS 197, Appendix A.1 and A.3: the keys, and some of the words w. */
    static const uint8_t key_a1[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    static const uint8_t w4_a1[16] = {0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1, 0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05};
    static const uint8_t w40_a1[16] = {0xd0, 0x14, 0xf9, 0xa8, 0xc9, 0xee, 0x25, 0x89, 0xe1, 0x3f, 0x0c, 0xc8, 0xb6, 0x63, 0x0c, 0xa6};
    static const uint8_t key_a3[32] = {0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81,
                                       0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4};
    static const uint8_t w8_a3[16] = {0x9b, 0xa3, 0x54, 0x11, 0x8e, 0x69, 0x25, 0xaf, 0xa5, 0x1a, 0x8b, 0x5f, 0x20, 0x67, 0xfc, 0xde};
    static const uint8_t w56_a3[16] = {0xfe, 0x48, 0x90, 0xd1, 0xe6, 0x18, 0x8d, 0x0b, 0x04, 0x6d, 0xf3, 0x44, 0x70, 0x6c, 0x63, 0x1e};
    cp_aead_key *key = guarded_key(0);
    cp_key_expand(key, CP_AEAD_AES_128_GCM, key_a1);
    CHECK(memcmp(key->round_keys[1], w4_a1, 16) == 0 && memcmp(key->round_keys[10], w40_a1, 16) == 0, "FIPS 197, Appendix A.1");
    cp_key_expand(key, CP_AEAD_AES_256_GCM, key_a3);
    CHECK(memcmp(key->round_keys[2], w8_a3, 16) == 0 && memcmp(key->round_keys[14], w56_a3, 16) == 0, "FIPS 197, Appendix A.3");
}

int main(void) {
    CHECK(cp_aead_abi() == CP_AEAD_ABI, "the library is of another version than the header");
    published_examples();
    cp_random random = {1};
    static const uint8_t own[15] = {[0 ... 14] = 0xA5};
    for (int i = 0; i < RANDOM_KEYS; i++) {
        uint8_t algorithm = (uint8_t)(1 + i % 3), raw[32];
        char what[64];
        snprintf(what, sizeof what, "%s, random key %d", cp_algorithm_name(algorithm), i);
        cp_random_fill(&random, raw, sizeof raw);
        cp_aead_key *key = guarded_key(i & 1);
        cp_key_expand(key, algorithm, raw);
        if (algorithm != CP_AEAD_CHACHA20_POLY1305)
            check_key(key, algorithm, raw, what);
        else
            CHECK(memcmp(key->round_keys, raw, 32) == 0, "%s", what);
        CHECK(memcmp(key->callers_own, own, sizeof own) == 0, "%s: the caller's own", what);
    }
    uint8_t raw[32] = {0};
    for (unsigned algorithm = 0; algorithm < 256; algorithm = algorithm ? algorithm + 1 : 4) {
        cp_aead_key *key = guarded_key(0);
        CHECK(cp_aead_expand_key(key, (uint8_t)algorithm, raw) == 0 && key->algorithm == 0xA5, "algorithm %u is none", algorithm);
    }
    printf("key expansion: %lu checks, %lu failed\n", cp_checks, cp_failures);
    return cp_failures > 0;
}
