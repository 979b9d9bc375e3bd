/*
 * Vectors of 512 or 256 bits under one set of names, so that ChaCha20 and Poly1305 are written once.
 *
 * A file that includes this is compiled for AVX-512 (F, BW, DQ, VL) or for AVX2, and gets the width of that.
 */
#ifndef CP_CHACHA_VECTOR_H
#define CP_CHACHA_VECTOR_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CP_INLINE static inline __attribute__((always_inline, unused))

#ifdef __AVX512BW__

typedef __m512i vec;

enum {
    VEC_BYTES = 64,
    WORDS = 16, /* of 32 bits in a vector: blocks of ChaCha20 that are worked on together */
    QUADS = 8,  /* of 64 bits in a vector: blocks of Poly1305 that are worked on together */
};

CP_INLINE vec vec_load(const void *from) { return _mm512_loadu_si512(from); }
CP_INLINE void vec_store(void *to, vec value) { _mm512_storeu_si512(to, value); }
CP_INLINE vec vec_zero(void) { return _mm512_setzero_si512(); }
CP_INLINE vec vec_words(uint32_t value) { return _mm512_set1_epi32((int)value); }
CP_INLINE vec vec_quads(uint64_t value) { return _mm512_set1_epi64((long long)value); }
CP_INLINE vec vec_repeat_128(__m128i value) { return _mm512_broadcast_i32x4(value); }
CP_INLINE vec vec_and(vec a, vec b) { return _mm512_and_si512(a, b); }
CP_INLINE vec vec_or(vec a, vec b) { return _mm512_or_si512(a, b); }
CP_INLINE vec vec_xor(vec a, vec b) { return _mm512_xor_si512(a, b); }
CP_INLINE vec vec_and_not(vec a, vec without) { return _mm512_andnot_si512(without, a); }
CP_INLINE vec vec_add_words(vec a, vec b) { return _mm512_add_epi32(a, b); }
CP_INLINE vec vec_add(vec a, vec b) { return _mm512_add_epi64(a, b); }
CP_INLINE vec vec_sub(vec a, vec b) { return _mm512_sub_epi64(a, b); }
CP_INLINE vec vec_shift_right(vec a, unsigned count) { return _mm512_srli_epi64(a, count); }
CP_INLINE vec vec_shift_left(vec a, unsigned count) { return _mm512_slli_epi64(a, count); }
CP_INLINE vec vec_multiply(vec a, vec b) { return _mm512_mul_epu32(a, b); }
CP_INLINE vec vec_unpack_low_words(vec a, vec b) { return _mm512_unpacklo_epi32(a, b); }
CP_INLINE vec vec_unpack_high_words(vec a, vec b) { return _mm512_unpackhi_epi32(a, b); }
CP_INLINE vec vec_unpack_low(vec a, vec b) { return _mm512_unpacklo_epi64(a, b); }
CP_INLINE vec vec_unpack_high(vec a, vec b) { return _mm512_unpackhi_epi64(a, b); }
CP_INLINE vec vec_first_quad_everywhere(vec a) { return _mm512_broadcastq_epi64(_mm512_castsi512_si128(a)); }
CP_INLINE __m128i vec_first_part(vec a) { return _mm512_castsi512_si128(a); }

/* 0, 1, 2, … in the words. */
CP_INLINE vec vec_word_numbers(void) { return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0); }

/* Where `a` is greater than `b`: `yes`, elsewhere zeros. Signed. */
CP_INLINE vec vec_where_greater(vec a, vec b, vec yes) { return _mm512_maskz_mov_epi64(_mm512_cmpgt_epi64_mask(a, b), yes); }

/* Bits of `yes` where `mask` has ones, of `no` elsewhere. */
CP_INLINE vec vec_select(vec mask, vec yes, vec no) { return _mm512_ternarylogic_epi64(mask, yes, no, 0xCA); }

/* `words`, with `value` from word number `from` on. */
typedef __mmask16 vec_word_mask;
CP_INLINE vec_word_mask vec_words_from(unsigned from) { return (vec_word_mask)(0xFFFFu << from); }
CP_INLINE vec vec_fill(vec words, vec_word_mask mask, uint32_t value) { return _mm512_mask_set1_epi32(words, mask, (int)value); }
CP_INLINE vec vec_blend(vec words, vec_word_mask mask, vec value) { return _mm512_mask_mov_epi32(words, mask, value); }

#define vec_shuffle_words(value, order) _mm512_shuffle_epi32(value, order)

/* To the left. `count` is a constant. */
#define vec_rotate_words(value, count) _mm512_rol_epi32(value, count)

/* The 128-bit parts `from[0]`, `from[1]`, … as one vector. */
CP_INLINE vec vec_gather_128(const __m128i *const *from, int step) {
    vec v = _mm512_castsi128_si512(_mm_loadu_si128(from[0]));
    v = _mm512_inserti32x4(v, _mm_loadu_si128(from[step]), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128(from[2 * step]), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128(from[3 * step]), 3);
}

/* The sum of all quads in the first one. */
CP_INLINE vec vec_sum(vec a) {
    a = vec_add(a, _mm512_shuffle_i64x2(a, a, 0x4E));
    a = vec_add(a, _mm512_shuffle_i64x2(a, a, 0xB1));
    return vec_add(a, vec_unpack_high(a, a));
}

/* destination = source ^ key_stream for `length` < 64 bytes, of which the key stream has 64 to read. */
CP_INLINE void xor_short(uint8_t *destination, const uint8_t *source, const uint8_t *key_stream, size_t length) {
    __mmask64 mask = _bzhi_u64(~0ull, (unsigned)length);
    vec data = _mm512_maskz_loadu_epi8(mask, source);
    _mm512_mask_storeu_epi8(destination, mask, vec_xor(data, vec_load(key_stream)));
}

/* `length` < 16 bytes, followed by zeros. */
CP_INLINE __m128i load_short(const uint8_t *from, size_t length) {
    return _mm_maskz_loadu_epi8((__mmask16)_bzhi_u32(0xFFFF, (unsigned)length), from);
}

#else

typedef __m256i vec;

enum {
    VEC_BYTES = 32,
    WORDS = 8,
    QUADS = 4,
};

CP_INLINE vec vec_load(const void *from) { return _mm256_loadu_si256(from); }
CP_INLINE void vec_store(void *to, vec value) { _mm256_storeu_si256(to, value); }
CP_INLINE vec vec_zero(void) { return _mm256_setzero_si256(); }
CP_INLINE vec vec_words(uint32_t value) { return _mm256_set1_epi32((int)value); }
CP_INLINE vec vec_quads(uint64_t value) { return _mm256_set1_epi64x((long long)value); }
CP_INLINE vec vec_repeat_128(__m128i value) { return _mm256_broadcastsi128_si256(value); }
CP_INLINE vec vec_and(vec a, vec b) { return _mm256_and_si256(a, b); }
CP_INLINE vec vec_or(vec a, vec b) { return _mm256_or_si256(a, b); }
CP_INLINE vec vec_xor(vec a, vec b) { return _mm256_xor_si256(a, b); }
CP_INLINE vec vec_and_not(vec a, vec without) { return _mm256_andnot_si256(without, a); }
CP_INLINE vec vec_add_words(vec a, vec b) { return _mm256_add_epi32(a, b); }
CP_INLINE vec vec_add(vec a, vec b) { return _mm256_add_epi64(a, b); }
CP_INLINE vec vec_sub(vec a, vec b) { return _mm256_sub_epi64(a, b); }
CP_INLINE vec vec_shift_right(vec a, int count) { return _mm256_srli_epi64(a, count); }
CP_INLINE vec vec_shift_left(vec a, int count) { return _mm256_slli_epi64(a, count); }
CP_INLINE vec vec_multiply(vec a, vec b) { return _mm256_mul_epu32(a, b); }
CP_INLINE vec vec_unpack_low_words(vec a, vec b) { return _mm256_unpacklo_epi32(a, b); }
CP_INLINE vec vec_unpack_high_words(vec a, vec b) { return _mm256_unpackhi_epi32(a, b); }
CP_INLINE vec vec_unpack_low(vec a, vec b) { return _mm256_unpacklo_epi64(a, b); }
CP_INLINE vec vec_unpack_high(vec a, vec b) { return _mm256_unpackhi_epi64(a, b); }
CP_INLINE vec vec_first_quad_everywhere(vec a) { return _mm256_broadcastq_epi64(_mm256_castsi256_si128(a)); }
CP_INLINE __m128i vec_first_part(vec a) { return _mm256_castsi256_si128(a); }

CP_INLINE vec vec_word_numbers(void) { return _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0); }

CP_INLINE vec vec_where_greater(vec a, vec b, vec yes) { return vec_and(_mm256_cmpgt_epi64(a, b), yes); }

CP_INLINE vec vec_select(vec mask, vec yes, vec no) { return _mm256_blendv_epi8(no, yes, mask); }

typedef vec vec_word_mask;
CP_INLINE vec_word_mask vec_words_from(unsigned from) { return _mm256_cmpgt_epi32(vec_word_numbers(), vec_words(from - 1)); }
CP_INLINE vec vec_fill(vec words, vec_word_mask mask, uint32_t value) { return _mm256_blendv_epi8(words, vec_words(value), mask); }
CP_INLINE vec vec_blend(vec words, vec_word_mask mask, vec value) { return _mm256_blendv_epi8(words, value, mask); }

#define vec_shuffle_words(value, order) _mm256_shuffle_epi32(value, order)

/* By whole bytes a rotation is one shuffle, by other counts two shifts. */
CP_INLINE vec vec_rotate_words(vec value, int count) {
    if (count == 16)
        return _mm256_shuffle_epi8(value, vec_repeat_128(_mm_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2)));
    if (count == 8)
        return _mm256_shuffle_epi8(value, vec_repeat_128(_mm_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3)));
    return vec_or(_mm256_slli_epi32(value, count), _mm256_srli_epi32(value, 32 - count));
}

CP_INLINE vec vec_gather_128(const __m128i *const *from, int step) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(from[0])), _mm_loadu_si128(from[step]), 1);
}

CP_INLINE vec vec_sum(vec a) {
    a = vec_add(a, _mm256_permute4x64_epi64(a, 0x4E));
    return vec_add(a, vec_unpack_high(a, a));
}

CP_INLINE void xor_short(uint8_t *destination, const uint8_t *source, const uint8_t *key_stream, size_t length) {
    for (; length >= 16; length -= 16, destination += 16, source += 16, key_stream += 16) {
        __m128i data = _mm_xor_si128(_mm_loadu_si128((const __m128i *)source), _mm_loadu_si128((const __m128i *)key_stream));
        _mm_storeu_si128((__m128i *)destination, data);
    }
    for (; length >= 4; length -= 4, destination += 4, source += 4, key_stream += 4) {
        uint32_t data, mask;
        memcpy(&data, source, sizeof data);
        memcpy(&mask, key_stream, sizeof mask);
        data ^= mask;
        memcpy(destination, &data, sizeof data);
    }
    for (; length > 0; length--)
        *destination++ = *source++ ^ *key_stream++;
}

CP_INLINE __m128i load_short(const uint8_t *from, size_t length) {
    uint64_t halves[2] = {0, 0};
    uint8_t *to = (uint8_t *)halves;
    for (; length >= 4; length -= 4, to += 4, from += 4)
        memcpy(to, from, 4);
    for (; length > 0; length--)
        *to++ = *from++;
    return _mm_loadu_si128((const __m128i *)halves);
}

#endif
#endif
