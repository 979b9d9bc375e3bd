/* The tier for every CPU with AES-NI, PCLMULQDQ and AVX2: one block per vector, one operation at a time. */
#include "../../chacha20_poly1305/chacha20_poly1305.h"
#include "../../cpu.h"
#include "../../plan.h"
#include "../../wipe.h"
#include "../tiers.h"

#include <immintrin.h>
#include <string.h>

static inline __m128i reverse_bytes(__m128i block) {
    return _mm_shuffle_epi8(block, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

static inline __m128i multiply(__m128i a, __m128i b) {
    const __m128i polynomial = _mm_set_epi64x(0, (long long)0xC200000000000000ull);
    __m128i low = _mm_clmulepi64_si128(a, b, 0x00), high = _mm_clmulepi64_si128(a, b, 0x11);
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
    middle = _mm_xor_si128(middle, _mm_xor_si128(_mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, polynomial, 0x00)));
    return _mm_xor_si128(high, _mm_xor_si128(_mm_shuffle_epi32(middle, 0x4E), _mm_clmulepi64_si128(middle, polynomial, 0x00)));
}

static inline __m128i encrypt_counter(const cp_aead_operation *operation, uint32_t counter, int rounds) {
    const __m128i *keys = (const __m128i *)operation->key->round_keys;
    uint8_t block[16];
    memcpy(block, operation->nonce, CP_AEAD_NONCE_SIZE);
    counter = __builtin_bswap32(counter);
    memcpy(block + CP_AEAD_NONCE_SIZE, &counter, sizeof counter);
    __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i *)block), keys[0]);
    for (int round = 1; round < rounds; round++)
        x = _mm_aesenc_si128(x, keys[round]);
    return _mm_aesenclast_si128(x, keys[rounds]);
}

static inline __m128i load_partial(const uint8_t *from, size_t count) {
    uint8_t block[16] = {0};
    memcpy(block, from, count);
    return _mm_loadu_si128((const __m128i *)block);
}

static inline void run_one(cp_aead_operation *operation, int rounds) {
    const __m128i h = _mm_load_si128((const __m128i *)operation->key->hash_powers[CP_AEAD_HASH_POWERS - 1]);
    const uint8_t *aad = operation->aad_length <= CP_AEAD_INLINE_AAD ? operation->inline_aad : operation->aad;
    __m128i hash = _mm_setzero_si128();
    for (size_t done = 0; done < operation->aad_length; done += 16) {
        size_t left = operation->aad_length - done;
        hash = multiply(_mm_xor_si128(hash, reverse_bytes(load_partial(aad + done, left < 16 ? left : 16))), h);
    }
    const uint8_t *source = operation->source;
    uint8_t *destination = operation->destination;
    const __m128i expected = operation->direction == CP_AEAD_OPEN ? _mm_loadu_si128((const __m128i *)(source + operation->length)) : h;
    uint32_t counter = 2;
    for (size_t done = 0; done < operation->length; done += 16) {
        size_t now = operation->length - done < 16 ? operation->length - done : 16;
        __m128i input = load_partial(source + done, now);
        uint8_t output[16];
        _mm_storeu_si128((__m128i *)output, _mm_xor_si128(input, encrypt_counter(operation, counter++, rounds)));
        memcpy(destination + done, output, now);
        __m128i ciphertext = operation->direction == CP_AEAD_SEAL ? load_partial(output, now) : input;
        hash = multiply(_mm_xor_si128(hash, reverse_bytes(ciphertext)), h);
    }
    __m128i lengths = _mm_set_epi64x((long long)operation->aad_length * 8, (long long)operation->length * 8);
    hash = multiply(_mm_xor_si128(hash, lengths), h);
    __m128i tag = _mm_xor_si128(reverse_bytes(hash), encrypt_counter(operation, 1, rounds));
    operation->status = CP_AEAD_SUCCESS;
    if (operation->direction == CP_AEAD_SEAL) {
        _mm_storeu_si128((__m128i *)(destination + operation->length), tag);
        return;
    }
    __m128i difference = _mm_xor_si128(tag, expected);
    if (!_mm_testz_si128(difference, difference)) {
        memset(destination, 0, operation->length);
        operation->status = CP_AEAD_AUTHENTICATION_FAILED;
    }
}

static void run_aes_128(cp_aead_operation *const *operations, size_t count) {
    for (size_t i = 0; i < count; i++)
        run_one(operations[i], 10);
}

static void run_aes_256(cp_aead_operation *const *operations, size_t count) {
    for (size_t i = 0; i < count; i++)
        run_one(operations[i], 14);
}

static const cp_kernels kernels = {
    .gcm = {{{run_aes_128}, {run_aes_256}}, {{run_aes_128}, {run_aes_256}}},
    .chacha20_poly1305 = {cp_chacha20_poly1305_seal_avx2, cp_chacha20_poly1305_open_avx2},
};

static void run(cp_aead_operation *operations, size_t count) {
    cp_plan_and_run(&kernels, operations, count);
    cp_wipe_stack();
    _mm256_zeroall();
    cp_wipe_general_registers();
}

const cp_aead_tier cp_tier_aesni = {
    .name = "aesni",
    .instructions = "AES-NI, PCLMULQDQ, AVX2 and BMI2",
    .is_supported = cp_cpu_has_avx2_aes,
    .run = run,
};
