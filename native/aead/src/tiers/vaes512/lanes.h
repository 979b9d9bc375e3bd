/*
 * A packet in the lanes of 512-bit vectors: where its blocks lie, counters, masks, AAD and lengths. The README has the pictures.
 */
#ifndef CP_VAES512_LANES_H
#define CP_VAES512_LANES_H

#include "cryptoplane_aead.h"

#include <immintrin.h>

#define CP_INLINE static inline __attribute__((always_inline, unused))
#define CP_UNROLL _Pragma("GCC unroll 16")

enum {
    CP_LANES = 4,  /* blocks in a vector: a "group" */
    CP_GROUPS = 8, /* groups in a pass */
    CP_GROUP_BYTES = 16 * CP_LANES,
    CP_PASS_BYTES = CP_GROUPS * CP_GROUP_BYTES,
};

/* Key sizes, as indexes and as numbers of rounds (FIPS 197 §5). */
enum { CP_AES_128, CP_AES_256, CP_KEY_SIZES };
#define CP_ROUNDS(key_size) ((key_size) == CP_AES_128 ? 10 : 14)

CP_INLINE __m512i cp_xor3(__m512i a, __m512i b, __m512i c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }

CP_INLINE __m512i cp_broadcast(const void *block) { return _mm512_broadcast_i32x4(_mm_loadu_si128(block)); }

/* Between the bytes of a message and the blocks of key.c's representation. */
CP_INLINE __m512i cp_reversal(void) { return _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)); }
CP_INLINE __m512i cp_reverse(__m512i blocks) { return _mm512_shuffle_epi8(blocks, cp_reversal()); }
CP_INLINE __m128i cp_reverse_block(__m128i block) { return _mm_shuffle_epi8(block, _mm512_castsi512_si128(cp_reversal())); }

/* Blocks of AES and of GHASH: those of the data, one in front (J0, or the AAD) and the block of lengths at the end. */
CP_INLINE size_t cp_blocks(const cp_aead_operation *operation) { return ((size_t)operation->length + 15) / 16 + 2; }

CP_INLINE size_t cp_groups(const cp_aead_operation *operation) { return (cp_blocks(operation) + CP_LANES - 1) / CP_LANES; }

/* Empty lanes in front, so that the block of lengths is in a last lane. */
CP_INLINE unsigned cp_padding(const cp_aead_operation *operation) { return (unsigned)(-cp_blocks(operation) % CP_LANES); }

/* The address at which the first lane of the first group would lie. Before the data: only masked loads and stores may use it. */
CP_INLINE uintptr_t cp_first_lane(const void *data, unsigned padding) { return (uintptr_t)data - 16 * (padding + 1); }

/* The bytes of the first group that are J0's, or the AAD's. */
CP_INLINE __mmask64 cp_front_mask(unsigned padding) { return 0xFFFFull << (16 * padding); }

/* The bytes of the first group that are data (unless the data ends in it). */
CP_INLINE __mmask64 cp_first_mask(unsigned padding) { return ~0xFFFFull << (16 * padding); }

/* The bytes of group `group` up to the end of the data. The group holds the block of lengths. */
CP_INLINE __mmask64 cp_last_mask(const cp_aead_operation *operation, unsigned padding, size_t group) {
    return _bzhi_u64(~0ull, (unsigned)(operation->length + 16 * (padding + 1) - group * CP_GROUP_BYTES));
}

/* AAD of up to 16 bytes as a block. */
CP_INLINE __m128i cp_inline_aad(const cp_aead_operation *operation) {
    return _mm_maskz_loadu_epi8((__mmask16)_bzhi_u32(0xFFFF, operation->aad_length), operation->inline_aad);
}

/* The last block of GHASH (NIST SP 800-38D §7.1, step 5), reversed: `length` and `aad_length` in bits. */
CP_INLINE __m128i cp_lengths(const cp_aead_operation *operation) {
    __m128i both = _mm_loadl_epi64((const __m128i *)&operation->length);
    both = _mm_shuffle_epi8(both, _mm_set_epi8(-1, -1, -1, -1, -1, -1, 5, 4, -1, -1, -1, -1, 3, 2, 1, 0));
    return _mm_slli_epi64(both, 3);
}
_Static_assert(offsetof(cp_aead_operation, aad_length) == offsetof(cp_aead_operation, length) + 4, "read with one load");

/* The nonce in every lane, with zeros where the counter goes. */
CP_INLINE __m512i cp_nonce(const cp_aead_operation *operation) {
    return _mm512_maskz_broadcast_i32x4(0x7777, _mm_loadu_si128((const __m128i *)operation->nonce));
}
_Static_assert(offsetof(cp_aead_operation, nonce) + 16 <= sizeof(cp_aead_operation), "may be read with a whole load");

#endif
