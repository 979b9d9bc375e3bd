/*
 * Messages of any length: groups of 16 blocks in eight vectors, and an end of up to 16 blocks.
 *
 *     seal:   AES 0 │ AES 1 ‖ hash 0 │ AES 2 ‖ hash 1 │ … │ hash n │ end
 *     open:   AES 0 ‖ hash 0 │ AES 1 ‖ hash 1 │ …     │ AES n ‖ hash n │ end
 *
 * A seal can hash a group only when it has been encrypted; an open hashes what it reads, before plaintext takes its place.
 * Constant time: branches and addresses depend on lengths, and on whether a tag was right.
 */
#ifndef CP_LONG_H
#define CP_LONG_H

#include "../../plan.h"
#include "end.h"

enum { VECTORS = 8, GROUP_LENGTH = 32 * VECTORS };

/* Of eight blocks with powers H^(8·(2 − line)) and below: vectors `v` and `v + 2`, whose half sums share a vector of the key's. */
CP_INLINE void hash_vectors_of_group(hash_sum *sum, const uint8_t *group, block hash, const cp_aead_key *key, int line, int v) {
    const int a = 4 * line + v, b = a + 2;
    pair x = reverse_pair(load_pair(group + 32 * a));
    if (a == 0)
        x = xor_pairs(x, _mm256_zextsi128_si256(hash));
    const uint64_t *sums = line == 0 ? key->half_sums_high[0] : key->half_sums_low;
    add_products(sum, x, powers(key, 16 - 2 * a), reverse_pair(load_pair(group + 32 * b)), powers(key, 16 - 2 * b),
                 load_pair((const uint8_t *)(sums + 4 * v)));
}

CP_INLINE block hash_group(const uint8_t *group, block hash, const cp_aead_key *key) {
    hash_sum sum = empty_sum();
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        hash_vectors_of_group(&sum, group, hash, key, i / 2, i % 2);
    return reduce(sum);
}

/* AES of one group, and between its rounds the hash of the group at `hashed`, if `hashes`. Returns the hash. */
CP_INLINE block run_group(const cp_aead_operation *operation, size_t offset, int hashes, const uint8_t *hashed, block hash, int rounds) {
    const cp_aead_key *key = operation->key;
    const uint8_t *source = operation->source + offset;
    uint8_t *destination = operation->destination + offset;
    const pair nonce = twice(reversed_nonce(operation)), first_key = round_key(key, 0);
    const uint32_t counter = (uint32_t)(2 + offset / 16);
    hash_sum sum = empty_sum();
    pair lanes[VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++)
        lanes[v] = xor_pairs(counter_blocks(nonce, counter + 2 * (uint32_t)v, counter + 2 * (uint32_t)v + 1), first_key);
#pragma GCC unroll 14
    for (int round = 1; round < rounds; round++) {
        aes_round(lanes, VECTORS, key, round);
        if (hashes && round % 2 == 1 && round < VECTORS)
            hash_vectors_of_group(&sum, hashed, hash, key, round / 4, round / 2 % 2);
    }
    if (hashes)
        hash = reduce(sum);
    const pair last_key = round_key(key, rounds);
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++)
        store_pair(destination + 32 * v, xor_pairs(load_pair(source + 32 * v), _mm256_aesenclast_epi128(lanes[v], last_key)));
    return hash;
}

/* All groups. The AAD's block is multiplied first, so that groups and end need not know of it. */
CP_INLINE block run_groups(const cp_aead_operation *operation, size_t length, block aad, int rounds, int direction) {
    block hash = multiply_by_h(aad, operation->key);
    if (direction == CP_AEAD_OPEN) {
        for (size_t offset = 0; offset < length; offset += GROUP_LENGTH)
            hash = run_group(operation, offset, 1, operation->source + offset, hash, rounds);
        return hash;
    }
    run_group(operation, 0, 0, NULL, hash, rounds);
    for (size_t offset = GROUP_LENGTH; offset < length; offset += GROUP_LENGTH)
        hash = run_group(operation, offset, 1, operation->destination + offset - GROUP_LENGTH, hash, rounds);
    return hash_group(operation->destination + length - GROUP_LENGTH, hash, operation->key);
}

typedef void end_function(cp_aead_operation *operation, const beginning *begun);

/* One function per number of blocks, which the kernels for small and long messages share. */
#define END(name, blocks, rounds, direction)                                                                                               \
    static __attribute__((noinline)) void name##_end_##blocks(cp_aead_operation *operation, const beginning *begun) {                      \
        run_end(operation, begun, blocks, rounds, direction);                                                                              \
    }                                                                                                                                      \
    static void name##_##blocks(cp_aead_operation *const *operations, size_t count) {                                                      \
        for (size_t i = 0; i < count; i++) {                                                                                               \
            const beginning begun = {.offset = 0, .aad = hash_inline_aad(operations[i]), .hash = _mm_setzero_si128()};                     \
            name##_end_##blocks(operations[i], &begun);                                                                                    \
        }                                                                                                                                  \
    }

#define DIRECTION(name, rounds, direction)                                                                                                 \
    END(name, 0, rounds, direction)                                                                                                        \
    END(name, 1, rounds, direction)                                                                                                        \
    END(name, 2, rounds, direction)                                                                                                        \
    END(name, 3, rounds, direction)                                                                                                        \
    END(name, 4, rounds, direction)                                                                                                        \
    END(name, 5, rounds, direction)                                                                                                        \
    END(name, 6, rounds, direction)                                                                                                        \
    END(name, 7, rounds, direction)                                                                                                        \
    END(name, 8, rounds, direction)                                                                                                        \
    END(name, 9, rounds, direction)                                                                                                        \
    END(name, 10, rounds, direction)                                                                                                       \
    END(name, 11, rounds, direction)                                                                                                       \
    END(name, 12, rounds, direction)                                                                                                       \
    END(name, 13, rounds, direction)                                                                                                       \
    END(name, 14, rounds, direction)                                                                                                       \
    END(name, 15, rounds, direction)                                                                                                       \
    END(name, 16, rounds, direction)                                                                                                       \
    static end_function *const name##_ends[] = {name##_end_0,  name##_end_1,  name##_end_2,  name##_end_3, name##_end_4,  name##_end_5,    \
                                                name##_end_6,  name##_end_7,  name##_end_8,  name##_end_9, name##_end_10, name##_end_11,   \
                                                name##_end_12, name##_end_13, name##_end_14, name##_end_15, name##_end_16};                \
    static void name##_long(cp_aead_operation *const *operations, size_t count) {                                                          \
        for (size_t i = 0; i < count; i++)                                                                                                 \
            run_long(operations[i], name##_ends, rounds, direction);                                                                       \
    }

CP_INLINE void run_long(cp_aead_operation *operation, end_function *const *ends, int rounds, int direction) {
    beginning begun = {.offset = operation->length / GROUP_LENGTH * GROUP_LENGTH, .aad = _mm_setzero_si128(), .hash = _mm_setzero_si128()};
    const block aad = operation->aad_length <= CP_AEAD_INLINE_AAD ? hash_inline_aad(operation) : hash_long_aad(operation);
    const size_t left = (operation->length - begun.offset + 15) / 16;
    if (begun.offset > 0)
        begun.hash = run_groups(operation, begun.offset, aad, rounds, direction);
    else
        begun.aad = aad;
    ends[left](operation, &begun);
}

DIRECTION(seal_128, 10, CP_AEAD_SEAL)
DIRECTION(seal_256, 14, CP_AEAD_SEAL)
DIRECTION(open_128, 10, CP_AEAD_OPEN)
DIRECTION(open_256, 14, CP_AEAD_OPEN)

#endif
