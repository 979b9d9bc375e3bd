/*
 * ChaCha20 (RFC 8439 §2.3) for few blocks: a block lies in four vectors, in the same part of 128 bits of each.
 *
 *                     part 0          part 1          …
 *     a    words  0…3 of block 0      of block 1            the four words of a row of the RFC's matrix side by side:
 *     b    words  4…7                                       one quarter round on vectors is four of a block
 *     c    words  8…11
 *     d    words 12…15
 *
 * Two such sets are worked on together, since one alone would wait for its own results. That is 8 (4) blocks in half the time of the 16 (8)
 * of chacha20.h.
 */
#ifndef CP_CHACHA20_FEW_H
#define CP_CHACHA20_FEW_H

#include "chacha20.h"

enum {
    FEW_SETS = 2,
    PARTS = WORDS / 4,
    FEW_BLOCKS = FEW_SETS * PARTS,
};

typedef struct {
    vec a[FEW_SETS], b[FEW_SETS], c[FEW_SETS], d[FEW_SETS];
} chacha_few_state;

CP_INLINE void chacha_few_round(chacha_few_state *x) {
#define EACH(statement) _Pragma("GCC unroll 2") for (int s = 0; s < FEW_SETS; s++) statement
    EACH(x->a[s] = vec_add_words(x->a[s], x->b[s]));
    EACH(x->d[s] = vec_rotate_words(vec_xor(x->d[s], x->a[s]), 16));
    EACH(x->c[s] = vec_add_words(x->c[s], x->d[s]));
    EACH(x->b[s] = vec_rotate_words(vec_xor(x->b[s], x->c[s]), 12));
    EACH(x->a[s] = vec_add_words(x->a[s], x->b[s]));
    EACH(x->d[s] = vec_rotate_words(vec_xor(x->d[s], x->a[s]), 8));
    EACH(x->c[s] = vec_add_words(x->c[s], x->d[s]));
    EACH(x->b[s] = vec_rotate_words(vec_xor(x->b[s], x->c[s]), 7));
#undef EACH
}

/* Moves the words of row b by one place, of c by two and of d by three, so that what was a diagonal is a column; or back. */
#define CHACHA_FEW_TURN(x, one, three)                                                                                                     \
    _Pragma("GCC unroll 2") for (int s = 0; s < FEW_SETS; s++) {                                                                           \
        (x)->b[s] = vec_shuffle_words((x)->b[s], one);                                                                                     \
        (x)->c[s] = vec_shuffle_words((x)->c[s], 0x4E);                                                                                    \
        (x)->d[s] = vec_shuffle_words((x)->d[s], three);                                                                                   \
    }

/* The last `blocks` blocks that the spans have left, at most FEW_BLOCKS; as many are always written. */
CP_INLINE void chacha_few(uint8_t *out, chacha_cursor *cursor, uint32_t blocks) {
    const __m128i *key_low[FEW_BLOCKS], *key_high[FEW_BLOCKS], *last_row[FEW_BLOCKS];
    uint32_t last_rows[FEW_BLOCKS][4];
    const chacha_span *span = cursor->span;
    uint32_t counter = 0;
    for (uint32_t i = 0; i < FEW_BLOCKS; i++) {
        if (i < blocks) {
            span = cursor->span;
            counter = span->counter + cursor->done;
            chacha_advance(cursor, 1);
        }
        key_low[i] = (const __m128i *)span->key;
        key_high[i] = key_low[i] + 1;
        last_row[i] = (const __m128i *)last_rows[i];
        last_rows[i][0] = counter;
        memcpy(&last_rows[i][1], span->nonce, 12);
    }
    chacha_few_state first, x;
#pragma GCC unroll 2
    for (int s = 0; s < FEW_SETS; s++) {
        first.a[s] = vec_repeat_128(_mm_setr_epi32(CHACHA_CONSTANT_0, CHACHA_CONSTANT_1, CHACHA_CONSTANT_2, CHACHA_CONSTANT_3));
        first.b[s] = vec_gather_128(key_low + s * PARTS, 1);
        first.c[s] = vec_gather_128(key_high + s * PARTS, 1);
        first.d[s] = vec_gather_128(last_row + s * PARTS, 1);
    }
    x = first;
    for (int round = 0; round < 20; round += 2) {
        chacha_few_round(&x);
        CHACHA_FEW_TURN(&x, 0x39, 0x93);
        chacha_few_round(&x);
        CHACHA_FEW_TURN(&x, 0x93, 0x39);
    }
#pragma GCC unroll 2
    for (int s = 0; s < FEW_SETS; s++)
        chacha_store_parts(out, NULL, (size_t)s * PARTS * CHACHA_BLOCK, CHACHA_BLOCK, vec_add_words(x.a[s], first.a[s]),
                           vec_add_words(x.b[s], first.b[s]), vec_add_words(x.c[s], first.c[s]), vec_add_words(x.d[s], first.d[s]));
}

/*
 * The key stream of all spans, one behind the other, `blocks` in sum. Writes in steps of WORDS blocks, so up to WORDS - 1 blocks more than
 * there are. No span is empty.
 */
static __attribute__((noinline)) void chacha_key_stream(uint8_t *out, const chacha_span *spans, size_t count, uint32_t blocks) {
    chacha_cursor cursor = {spans, spans + count, 0};
    while (blocks > FEW_BLOCKS) {
        chacha_lanes(out, NULL, &cursor);
        if (blocks <= WORDS)
            return;
        blocks -= WORDS;
        out += WORDS * CHACHA_BLOCK;
    }
    chacha_few(out, &cursor, blocks);
}

/* XORs data with the key stream of a span, whose blocks are a multiple of WORDS. */
static __attribute__((noinline)) void chacha_xor(uint8_t *destination, const uint8_t *source, const chacha_span *span) {
    chacha_cursor cursor = {span, span + 1, 0};
    for (uint32_t left = span->blocks; left > 0; left -= WORDS) {
        chacha_lanes(destination, source, &cursor);
        destination += WORDS * CHACHA_BLOCK;
        source += WORDS * CHACHA_BLOCK;
    }
}

#endif
