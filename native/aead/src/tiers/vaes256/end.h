/*
 * All of a message of up to 16 blocks, or the end of a longer one: J0, the last blocks, the lengths and the tag.
 *
 *     vector         0           1           2
 *     AES        J0  d1      d2  d3      d4  d5         J0's encryption masks the tag
 *     hash      AAD  c1      c2  c3      c4  lengths    the AAD takes the place of J0, the lengths the one behind the data
 *
 * Behind groups of 16 blocks there is no AAD block left; their hash is added to block 1.
 */
#ifndef CP_END_H
#define CP_END_H

#include "ghash.h"

enum { END_BLOCKS = 16, END_VECTORS = 9 };

/* What comes before: bytes that are done, the AAD's block to multiply, and the hash of the groups. One of the two is zero. */
typedef struct {
    size_t offset;
    block aad, hash;
} beginning;

/* Block number `i` of `blocks` from 1 on; zeros beyond. An open may read the tag, which lies behind; a seal may not. */
CP_INLINE block data_block(const uint8_t *data, int i, int blocks, unsigned last, int direction) {
    if (i < 1 || i > blocks)
        return _mm_setzero_si128();
    data += 16 * (i - 1);
    return i < blocks || direction == CP_AEAD_OPEN ? load(data) : load_first(data, last);
}

CP_INLINE pair data_pair(const uint8_t *data, int v, int blocks, unsigned last, int direction) {
    if (v > 0 && 2 * v + 1 < blocks + (direction == CP_AEAD_OPEN))
        return load_pair(data + 16 * (2 * v - 1));
    return join(data_block(data, 2 * v, blocks, last, direction), data_block(data, 2 * v + 1, blocks, last, direction));
}

/* A seal may write behind the data, where the tag will be; an open may not. */
CP_INLINE void put_block(uint8_t *data, block value, int i, int blocks, unsigned last, int direction) {
    if (i < 1 || i > blocks)
        return;
    data += 16 * (i - 1);
    if (i < blocks || direction == CP_AEAD_SEAL)
        store(data, value);
    else
        store_first(data, value, last);
}

CP_INLINE void put_pair(uint8_t *data, pair value, int v, int blocks, unsigned last, int direction) {
    if (v > 0 && 2 * v + 1 < blocks + (direction == CP_AEAD_SEAL)) {
        store_pair(data + 16 * (2 * v - 1), value);
        return;
    }
    put_block(data, low_block(value), 2 * v, blocks, last, direction);
    put_block(data, high_block(value), 2 * v + 1, blocks, last, direction);
}

/* Vector `v` of what is hashed, from ciphertext that may have other bytes behind its end. */
CP_INLINE pair hashed_pair(const cp_aead_operation *operation, const beginning *begun, pair ciphertext, int v, int blocks, unsigned last) {
    block part[2] = {low_block(ciphertext), high_block(ciphertext)};
#pragma GCC unroll 2
    for (int lane = 0; lane < 2; lane++) {
        const int i = 2 * v + lane;
        if (i == 0)
            part[lane] = begun->aad;
        else if (i <= blocks)
            part[lane] = reverse_bytes(i == blocks ? keep_first(part[lane], last) : part[lane]);
        else
            part[lane] = i == blocks + 1 ? lengths_block(operation) : _mm_setzero_si128();
        if (i == 1)
            part[lane] = _mm_xor_si128(part[lane], begun->hash);
    }
    return join(part[0], part[1]);
}

CP_INLINE void run_end(cp_aead_operation *operation, const beginning *begun, int blocks, int rounds, int direction) {
    const cp_aead_key *key = operation->key;
    const int vectors = blocks / 2 + 1, hash_vectors = (blocks + 3) / 2;
    const uint8_t *source = operation->source + begun->offset;
    uint8_t *destination = operation->destination + begun->offset;
    const unsigned last = operation->length - (unsigned)begun->offset - 16 * (unsigned)(blocks - 1);
    const pair nonce = twice(reversed_nonce(operation)), first_key = round_key(key, 0);
    const uint32_t counter = (uint32_t)(1 + begun->offset / 16);
    pair lanes[END_VECTORS], hashed[END_VECTORS + 1];
#pragma GCC unroll 9
    for (int v = 0; v < vectors; v++)
        lanes[v] = xor_pairs(counter_blocks(nonce, v == 0 ? 1 : counter + 2 * (uint32_t)v, counter + 2 * (uint32_t)v + 1), first_key);
#pragma GCC unroll 14
    for (int round = 1; round < rounds; round++)
        aes_round(lanes, vectors, key, round);
    const pair last_key = round_key(key, rounds);
#pragma GCC unroll 10
    for (int v = 0; v < END_VECTORS + 1; v++) {
        if (v >= hash_vectors) {
            hashed[v] = _mm256_setzero_si256(); /* makes the number of vectors even */
            continue;
        }
        pair ciphertext = _mm256_setzero_si256();
        if (v < vectors) {
            const pair data = data_pair(source, v, blocks, last, direction);
            lanes[v] = _mm256_aesenclast_epi128(lanes[v], last_key);
            const pair crypted = xor_pairs(data, lanes[v]);
            put_pair(destination, crypted, v, blocks, last, direction);
            ciphertext = direction == CP_AEAD_SEAL ? crypted : data;
        }
        hashed[v] = hashed_pair(operation, begun, ciphertext, v, blocks, last);
    }
    hash_sum sum = empty_sum();
#pragma GCC unroll 5
    for (int v = 0; v < hash_vectors; v += 2) {
        const pair a = powers(key, blocks + 2 - 2 * v), b = v + 1 < hash_vectors ? powers(key, blocks - 2 * v) : _mm256_setzero_si256();
        add_products(&sum, hashed[v], a, hashed[v + 1], b, half_sums(a, b));
    }
    finish(operation, reduce(sum), low_block(lanes[0]), direction);
}

#endif
