/*
 * What GHASH (NIST SP 800-38D §6.4) does with single blocks: the reduction, AAD, the lengths, the tag; in the representation of POLYVAL (see
 * cp_aead_key).
 */
#ifndef CP_GHASH_BLOCK_H
#define CP_GHASH_BLOCK_H

#include "block.h"

/*
 * The parts of Karatsuba's products (low·low, (low+high)·(low+high), high·high) modulo x^128 + x^127 + x^126 + x^121 + 1, after Montgomery,
 * from the low end: two foldings of 64 bits.
 */
CP_INLINE block reduce_parts(block low, block middle, block high) {
    const block polynomial = _mm_cvtsi64_si128((long long)0xC200000000000000ull);
    middle = xor3(middle, low, high);
    middle = xor3(middle, _mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, polynomial, 0x00));
    return xor3(high, _mm_shuffle_epi32(middle, 0x4E), _mm_clmulepi64_si128(middle, polynomial, 0x00));
}

/* The XOR of a block's halves, in its low half. */
CP_INLINE block half_sum(block x) { return xor2(x, _mm_unpackhi_epi64(x, x)); }

CP_INLINE block multiply_by_h(block x, const cp_aead_key *key) {
    const block h = load(key->hash_powers[CP_AEAD_HASH_POWERS - 1]);
    return reduce_parts(_mm_clmulepi64_si128(x, h, 0x00), _mm_clmulepi64_si128(half_sum(x), half_sum(h), 0x00),
                        _mm_clmulepi64_si128(x, h, 0x11));
}

/*
 * The AAD's part of the hash, up to its last block, which is added but not yet multiplied: that is done together with the data's products.
 * Zero padding is part of GHASH; what lies behind short AAD in the descriptor is not.
 */
CP_INLINE block hash_inline_aad(const cp_aead_operation *operation) {
    return reverse_bytes(keep_first(load(operation->inline_aad), operation->aad_length));
}

static __attribute__((noinline)) block hash_long_aad(const cp_aead_operation *operation) {
    const uint8_t *aad = operation->aad;
    unsigned left = operation->aad_length;
    block hash = _mm_setzero_si128();
    for (; left > 16; left -= 16, aad += 16)
        hash = multiply_by_h(xor2(hash, reverse_bytes(load(aad))), operation->key);
    return xor2(hash, reverse_bytes(load_first(aad, left)));
}

CP_INLINE block hash_aad(const cp_aead_operation *operation) {
    return operation->aad_length <= CP_AEAD_INLINE_AAD ? hash_inline_aad(operation) : hash_long_aad(operation);
}

/* The last block of the hash: [bits of AAD] ‖ [bits of data]. */
CP_INLINE block lengths_block(const cp_aead_operation *operation) {
    return _mm_set_epi64x((long long)operation->aad_length * 8, (long long)operation->length * 8);
}

/* Writes a seal's tag, or compares an open's: all 128 bits at once, so that no position of a difference shows in the time. */
CP_INLINE void finish(cp_aead_operation *operation, block hash, block mask, int direction) {
    const block tag = xor2(reverse_bytes(hash), mask);
    operation->status = CP_AEAD_SUCCESS;
    if (direction == CP_AEAD_SEAL) {
        store(operation->destination + operation->length, tag);
        return;
    }
    const block difference = xor2(tag, load(operation->source + operation->length));
    if (!_mm_testz_si128(difference, difference)) {
        memset(operation->destination, 0, operation->length);
        operation->status = CP_AEAD_AUTHENTICATION_FAILED;
    }
}

#endif
