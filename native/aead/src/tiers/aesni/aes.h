/*
 * AES in counter mode on several blocks at once. AESENC takes four cycles or so and the CPU begins one per cycle, so four blocks or more in
 * flight keep the unit busy; what is to be done beside them (the hash of another message) is woven in between the rounds.
 */
#ifndef CP_AES_H
#define CP_AES_H

#include "../block.h"

CP_INLINE block round_key(const cp_aead_key *key, int round) { return _mm_load_si128((const __m128i *)key->round_keys[round]); }

/* Blocks of one message: J0 in lane 0 if it is to be encrypted, whose encryption masks the tag, and counter blocks. */
CP_INLINE void begin_lanes(block *lanes, int count, const cp_aead_operation *operation, int with_j0, uint32_t counter) {
    const block nonce = reversed_nonce(operation), key = round_key(operation->key, 0);
#pragma GCC unroll 16
    for (int i = 0; i < count; i++)
        lanes[i] = xor2(counter_block(nonce, with_j0 ? (i == 0 ? 1 : counter + (uint32_t)i - 1) : counter + (uint32_t)i), key);
}

CP_INLINE void aes_round(block *lanes, int count, const cp_aead_key *key, int round) {
    const block k = round_key(key, round);
#pragma GCC unroll 16
    for (int i = 0; i < count; i++)
        lanes[i] = _mm_aesenc_si128(lanes[i], k);
}

CP_INLINE void last_aes_round(block *lanes, int count, const cp_aead_key *key, int rounds) {
    const block k = round_key(key, rounds);
#pragma GCC unroll 16
    for (int i = 0; i < count; i++)
        lanes[i] = _mm_aesenclast_si128(lanes[i], k);
}

/* XORs `length` bytes, which are `blocks` blocks with the last one perhaps short, with key stream. */
CP_INLINE void crypt_blocks(uint8_t *destination, const uint8_t *source, const block *key_stream, int blocks, size_t length, int direction) {
#pragma GCC unroll 16
    for (int i = 0; i < blocks; i++) {
        if (i < blocks - 1) {
            store(destination + 16 * i, xor2(load(source + 16 * i), key_stream[i]));
            continue;
        }
        const unsigned left = (unsigned)(length - 16 * (size_t)i);
        if (left == 16)
            store(destination + 16 * i, xor2(load(source + 16 * i), key_stream[i]));
        else if (direction == CP_AEAD_SEAL) /* what is written behind the data is the place of the tag, which comes later */
            store(destination + 16 * i, xor2(load_first(source + 16 * i, left), key_stream[i]));
        else /* what is read behind the data is the tag */
            store_first(destination + 16 * i, xor2(load(source + 16 * i), key_stream[i]), left);
    }
}

#endif
