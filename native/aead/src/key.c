/*
 * Key expansion: AES round keys (FIPS 197 §5.2) and the powers of GHASH's hash key (NIST SP 800-38D §6.4).
 *
 * Constant time: no branch and no index depends on the key, only on its size. It runs once per key, so it is written to be read.
 */
#include "cpu.h"
#include "cryptoplane_aead.h"
#include "wipe.h"

#include <immintrin.h>
#include <string.h>

/* Each new word is the old one XORed with the new one before it: a running XOR over the four words, begun by `word`. */
static __m128i next_round_key(__m128i key, __m128i word) {
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
    return _mm_xor_si128(key, word);
}

/* The round constant must be known to the compiler, hence macros. WORD3: SubWord, RotWord and Rcon of the last word. WORD2: SubWord only. */
#define WORD3(key, rcon) _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, rcon), 0xFF)
#define WORD2(key) _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, 0), 0xAA)

static void expand_aes_128(__m128i *round_keys, const uint8_t *raw) {
    __m128i k = _mm_loadu_si128((const __m128i *)raw);
    round_keys[0] = k;
#define STEP(i, rcon) round_keys[i] = k = next_round_key(k, WORD3(k, rcon))
    STEP(1, 0x01), STEP(2, 0x02), STEP(3, 0x04), STEP(4, 0x08), STEP(5, 0x10);
    STEP(6, 0x20), STEP(7, 0x40), STEP(8, 0x80), STEP(9, 0x1B), STEP(10, 0x36);
#undef STEP
}

static void expand_aes_256(__m128i *round_keys, const uint8_t *raw) {
    __m128i a = _mm_loadu_si128((const __m128i *)raw), b = _mm_loadu_si128((const __m128i *)(raw + 16));
    round_keys[0] = a;
    round_keys[1] = b;
#define EVEN(i, rcon) round_keys[i] = a = next_round_key(a, WORD3(b, rcon))
#define ODD(i) round_keys[i] = b = next_round_key(b, WORD2(a))
    EVEN(2, 0x01), ODD(3), EVEN(4, 0x02), ODD(5), EVEN(6, 0x04), ODD(7), EVEN(8, 0x08), ODD(9);
    EVEN(10, 0x10), ODD(11), EVEN(12, 0x20), ODD(13), EVEN(14, 0x40);
#undef EVEN
#undef ODD
}

static __m128i reverse_bytes(__m128i block) {
    return _mm_shuffle_epi8(block, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

/* x·value modulo the polynomial; the carry is applied by a mask. */
static __m128i times_x(__m128i value) {
    __m128i carries = _mm_srli_epi64(value, 63);
    __m128i shifted = _mm_or_si128(_mm_slli_epi64(value, 1), _mm_slli_si128(carries, 8));
    __m128i carry = _mm_sub_epi64(_mm_setzero_si128(), _mm_unpackhi_epi64(carries, carries));
    return _mm_xor_si128(shifted, _mm_and_si128(carry, _mm_set_epi64x((long long)0xC200000000000000ull, 1)));
}

/* a·b in the representation of POLYVAL, reduced after Montgomery from the low end. */
static __m128i multiply(__m128i a, __m128i b) {
    const __m128i polynomial = _mm_set_epi64x(0, (long long)0xC200000000000000ull);
    __m128i low = _mm_clmulepi64_si128(a, b, 0x00), high = _mm_clmulepi64_si128(a, b, 0x11);
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
    middle = _mm_xor_si128(middle, _mm_xor_si128(_mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, polynomial, 0x00)));
    return _mm_xor_si128(high, _mm_xor_si128(_mm_shuffle_epi32(middle, 0x4E), _mm_clmulepi64_si128(middle, polynomial, 0x00)));
}

static uint64_t half_sum(__m128i power) { return (uint64_t)_mm_cvtsi128_si64(_mm_xor_si128(power, _mm_unpackhi_epi64(power, power))); }

static void expand_powers(cp_aead_key *key, int rounds) {
    const __m128i *round_keys = (const __m128i *)key->round_keys;
    __m128i h = round_keys[0]; /* the encryption of a block of zeros */
    for (int round = 1; round < rounds; round++)
        h = _mm_aesenc_si128(h, round_keys[round]);
    h = times_x(reverse_bytes(_mm_aesenclast_si128(h, round_keys[rounds])));

    __m128i power = h;
    for (int i = 1; i <= CP_AEAD_HASH_POWERS; i++) {
        _mm_store_si128((__m128i *)key->hash_powers[CP_AEAD_HASH_POWERS - i], power);
        int line = (i - 1) / 8, before = 7 - (i - 1) % 8; /* `before`: how many higher powers share the line */
        uint64_t *half_sums = line == 0 ? key->half_sums_low : key->half_sums_high[line - 1];
        half_sums[2 * (before % 4) + before / 4] = half_sum(power);
        power = multiply(power, h);
    }
}

int cp_aead_expand_key(cp_aead_key *key, uint8_t algorithm, const uint8_t *raw) {
    if (algorithm == CP_AEAD_CHACHA20_POLY1305) {
        memcpy(key->round_keys, raw, 32);
    } else if (!cp_cpu_has_aes()) {
        return 0;
    } else if (algorithm == CP_AEAD_AES_128_GCM) {
        expand_aes_128((__m128i *)key->round_keys, raw);
        expand_powers(key, 10);
    } else if (algorithm == CP_AEAD_AES_256_GCM) {
        expand_aes_256((__m128i *)key->round_keys, raw);
        expand_powers(key, 14);
    } else {
        return 0;
    }
    key->algorithm = algorithm;
    cp_wipe_stack();
    cp_wipe_sse_registers();
    cp_wipe_general_registers();
    return 1;
}
