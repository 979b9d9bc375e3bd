/*
 * ChaCha20 (RFC 8439 §2.3), one block in each 32-bit lane: 16 or 8 blocks, of any messages, side by side.
 *
 *                 lane 0      lane 1      lane 2    …
 *     row  0      constant    constant    constant          the same in all lanes
 *     …
 *     row  4      key word 0  key word 0  key word 0        of the lane's message
 *     …
 *     row 12      counter 0   counter 1   counter 0         block 2 of lane 2 belongs to the next message, say
 *     row 13…15   nonce       nonce       nonce
 */
#ifndef CP_CHACHA20_H
#define CP_CHACHA20_H

#include "vector.h"

enum {
    CHACHA_BLOCK = 64,
#ifdef __AVX512BW__
    SIDE_BY_SIDE = 4,
#else
    SIDE_BY_SIDE = 2,
#endif
};

/* Consecutive blocks under one key and nonce. */
typedef struct {
    const uint8_t *key;
    const uint8_t *nonce;
    uint32_t counter; /* of the first block */
    uint32_t blocks;
} chacha_span;

/* Where in a list of spans the next block is. */
typedef struct {
    const chacha_span *span, *end;
    uint32_t done; /* blocks of `span` */
} chacha_cursor;

CP_INLINE void chacha_advance(chacha_cursor *cursor, uint32_t blocks) {
    cursor->done += blocks;
    if (cursor->done == cursor->span->blocks) {
        cursor->span++;
        cursor->done = 0;
    }
}

/* "expand 32-byte k" (RFC 8439 §2.3). */
#define CHACHA_CONSTANT_0 0x61707865
#define CHACHA_CONSTANT_1 0x3320646e
#define CHACHA_CONSTANT_2 0x79622d32
#define CHACHA_CONSTANT_3 0x6b206574

/*
 * Quarter rounds (RFC 8439 §2.1), SIDE_BY_SIDE of them from number `first` on: of columns where `shift` is 0, of diagonals where it is 1.
 *
 * AVX2 has registers for two of them beside the rows that wait. Left alone, the compiler would let values that the next instruction needs
 * go through memory, so it is told that each step wants all of them in registers.
 */
CP_INLINE void chacha_quarter_rounds(vec rows[16], int shift, int first) {
    vec a[SIDE_BY_SIDE], b[SIDE_BY_SIDE], c[SIDE_BY_SIDE], d[SIDE_BY_SIDE];
#define EACH(statement) _Pragma("GCC unroll 4") for (int i = 0; i < SIDE_BY_SIDE; i++) statement
#define ROW(number) rows[4 * (number) + (first + i + (number)*shift) % 4]
#ifdef __AVX512BW__
#define IN_REGISTERS
#else
#define IN_REGISTERS EACH(__asm__("" : "+x"(a[i]), "+x"(b[i]), "+x"(c[i]), "+x"(d[i])))
#endif
    EACH((a[i] = ROW(0), b[i] = ROW(1), c[i] = ROW(2), d[i] = ROW(3)));
    IN_REGISTERS;
    EACH(a[i] = vec_add_words(a[i], b[i]));
    EACH(d[i] = vec_rotate_words(vec_xor(d[i], a[i]), 16));
    IN_REGISTERS;
    EACH(c[i] = vec_add_words(c[i], d[i]));
    EACH(b[i] = vec_rotate_words(vec_xor(b[i], c[i]), 12));
    IN_REGISTERS;
    EACH(a[i] = vec_add_words(a[i], b[i]));
    EACH(d[i] = vec_rotate_words(vec_xor(d[i], a[i]), 8));
    IN_REGISTERS;
    EACH(c[i] = vec_add_words(c[i], d[i]));
    EACH(b[i] = vec_rotate_words(vec_xor(b[i], c[i]), 7));
    IN_REGISTERS;
    EACH((ROW(0) = a[i], ROW(1) = b[i], ROW(2) = c[i], ROW(3) = d[i]));
#undef IN_REGISTERS
#undef ROW
#undef EACH
}

/* Columns from number 1 on, so that what the first diagonal needs is ready first. */
CP_INLINE void chacha_round(vec rows[16], int shift) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i += SIDE_BY_SIDE)
        chacha_quarter_rounds(rows, shift, i + 1 - shift);
}

/* Twenty rounds; four per turn of the loop, since the compiler copies rows at the end of a turn. */
CP_INLINE void chacha_rounds(vec rows[16]) {
    for (int round = 0; round < 20; round += 4) {
        chacha_round(rows, 0);
        chacha_round(rows, 1);
        chacha_round(rows, 0);
        chacha_round(rows, 1);
    }
}

/* Key stream, or where there is a source, the XOR of both. Whether there is one is known to the compiler. */
CP_INLINE void chacha_put(uint8_t *out, const uint8_t *source, size_t offset, vec key_stream) {
    vec_store(out + offset, source == NULL ? key_stream : vec_xor(key_stream, vec_load(source + offset)));
}

/* Part k of 128 bits of each of four vectors, one behind the other, to place `at` + k·`distance`. */
CP_INLINE void chacha_store_parts(uint8_t *out, const uint8_t *source, size_t at, size_t distance, vec a, vec b, vec c, vec d) {
#ifdef __AVX512BW__
    vec even_ab = _mm512_shuffle_i32x4(a, b, 0x88), odd_ab = _mm512_shuffle_i32x4(a, b, 0xDD);
    vec even_cd = _mm512_shuffle_i32x4(c, d, 0x88), odd_cd = _mm512_shuffle_i32x4(c, d, 0xDD);
    chacha_put(out, source, at, _mm512_shuffle_i32x4(even_ab, even_cd, 0x88));
    chacha_put(out, source, at + distance, _mm512_shuffle_i32x4(odd_ab, odd_cd, 0x88));
    chacha_put(out, source, at + 2 * distance, _mm512_shuffle_i32x4(even_ab, even_cd, 0xDD));
    chacha_put(out, source, at + 3 * distance, _mm512_shuffle_i32x4(odd_ab, odd_cd, 0xDD));
#else
    chacha_put(out, source, at, _mm256_permute2x128_si256(a, b, 0x20));
    chacha_put(out, source, at + 32, _mm256_permute2x128_si256(c, d, 0x20));
    chacha_put(out, source, at + distance, _mm256_permute2x128_si256(a, b, 0x31));
    chacha_put(out, source, at + distance + 32, _mm256_permute2x128_si256(c, d, 0x31));
#endif
}

/*
 * From one block per lane to the blocks one behind the other. Two steps within parts of 128 bits give part k of `quarter[g][j]` the words
 * 4·g … 4·g + 3 of block 4·k + j; then parts are moved to where they belong.
 */
CP_INLINE void chacha_store(uint8_t *out, const uint8_t *source, const vec rows[16]) {
    vec quarter[4][4];
#pragma GCC unroll 4
    for (int g = 0; g < 4; g++) {
        const vec *row = rows + 4 * g;
        vec low01 = vec_unpack_low_words(row[0], row[1]), low23 = vec_unpack_low_words(row[2], row[3]);
        vec high01 = vec_unpack_high_words(row[0], row[1]), high23 = vec_unpack_high_words(row[2], row[3]);
        quarter[g][0] = vec_unpack_low(low01, low23);
        quarter[g][1] = vec_unpack_high(low01, low23);
        quarter[g][2] = vec_unpack_low(high01, high23);
        quarter[g][3] = vec_unpack_high(high01, high23);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++)
        chacha_store_parts(out, source, (size_t)CHACHA_BLOCK * j, 4 * CHACHA_BLOCK, quarter[0][j], quarter[1][j], quarter[2][j],
                           quarter[3][j]);
}

CP_INLINE uint32_t load_word(const uint8_t *from) {
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* The rows 4 to 15 from lane number `from` on. */
CP_INLINE void chacha_set_lanes(vec rows[16], unsigned from, const chacha_span *span, uint32_t counter) {
    vec_word_mask mask = vec_words_from(from);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        rows[4 + i] = vec_fill(rows[4 + i], mask, load_word(span->key + 4 * i));
    rows[12] = vec_blend(rows[12], mask, vec_add_words(vec_word_numbers(), vec_words(counter - from)));
#pragma GCC unroll 3
    for (int i = 0; i < 3; i++)
        rows[13 + i] = vec_fill(rows[13 + i], mask, load_word(span->nonce + 4 * i));
}

/* WORDS blocks, or as many as the spans have left. */
CP_INLINE void chacha_lanes(uint8_t *out, const uint8_t *source, chacha_cursor *cursor) {
    vec first[16], rows[16];
    first[0] = vec_words(CHACHA_CONSTANT_0), first[1] = vec_words(CHACHA_CONSTANT_1);
    first[2] = vec_words(CHACHA_CONSTANT_2), first[3] = vec_words(CHACHA_CONSTANT_3);
#pragma GCC unroll 12
    for (int i = 4; i < 16; i++)
        first[i] = vec_zero();
    unsigned lane = 0;
    do {
        const chacha_span *span = cursor->span;
        chacha_set_lanes(first, lane, span, span->counter + cursor->done);
        uint32_t left = span->blocks - cursor->done, now = left < WORDS - lane ? left : WORDS - lane;
        lane += now;
        chacha_advance(cursor, now);
    } while (lane < WORDS && cursor->span != cursor->end);

#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        rows[i] = first[i];
    chacha_rounds(rows);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        rows[i] = vec_add_words(rows[i], first[i]);
    chacha_store(out, source, rows);
}

#endif
