/*
 * Sizes at which something changes: nothing at all, every AAD up to 1,024 bytes and the longest one, and counters that carry.
 *
 * The block counter has 32 bits and data begins with block 2 in AES-GCM (NIST SP 800-38D §7.1: inc32 of J0, which ends in 1), with
 * block 1 in ChaCha20-Poly1305 (RFC 8439 §2.8). It never wraps: 2^31 − 1 bytes are 2^27 blocks. But its bytes carry, in AES-GCM at
 * 2^8, 2^16 and 2^24 blocks, and kernels may count in fewer bits: so sizes lie around the first two of these, and beyond 2^20 blocks.
 */
#include "support/burst.h"
#include "support/check.h"
#include "support/program.h"

#include <stdio.h>

enum { DIRECTIONS_AND_FORGERY = 3 };

static void add_all_ways(cp_burst *burst, uint8_t algorithm, uint32_t length, uint16_t aad_length, int in_place) {
    for (int way = 0; way < DIRECTIONS_AND_FORGERY; way++) {
        cp_shape shape = {.algorithm = algorithm,
                          .direction = way > 0,
                          .in_place = (uint8_t)in_place,
                          .length = length,
                          .aad_length = aad_length,
                          .forgery = way == 2 ? CP_FORGED_TAG : CP_GENUINE};
        cp_burst_add(burst, &shape);
    }
}

static void every_aad(const cp_aead_tier *tier, cp_burst *burst, int quick) {
    static const uint32_t lengths[] = {0, 1, 64, 200, 1000};
    for (uint32_t aad = 0; aad <= 1024; aad += quick ? 7 : 1) {
        for (uint8_t algorithm = 1; algorithm <= 3; algorithm++) {
            for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
                add_all_ways(burst, algorithm, lengths[i], (uint16_t)aad, (aad + i) % 2);
        }
        cp_burst_run(burst, tier, "every AAD");
    }
}

static void around(const cp_aead_tier *tier, cp_burst *burst, uint32_t length, uint32_t distance) {
    char where[64];
    snprintf(where, sizeof where, "%s: around %u bytes", tier->name, length);
    for (uint8_t algorithm = 1; algorithm <= 3; algorithm++) {
        for (uint32_t size = length - distance; size <= length + distance; size += distance) {
            add_all_ways(burst, algorithm, size, 13, size % 2);
            cp_burst_run(burst, tier, where);
        }
    }
}

static void test(const cp_aead_tier *tier, const cp_options *options) {
    cp_random random = {options->seed};
    cp_burst *burst = cp_burst_new(&random);
    every_aad(tier, burst, options->quick);

    /* Single messages of every size of some blocks, of no bytes with the longest AAD, and of 2^16 bytes. */
    for (uint32_t length = 0; length <= 2048; length += options->quick ? 13 : 1) {
        for (uint8_t algorithm = 1; algorithm <= 3; algorithm++) {
            cp_shape shape = {.algorithm = algorithm, .direction = length & 1, .length = length, .aad_length = 8};
            cp_burst_add(burst, &shape);
            cp_burst_run(burst, tier, "single");
            shape.direction ^= 1;
            cp_burst_add(burst, &shape);
            cp_burst_run(burst, tier, "single");
        }
    }
    for (uint8_t algorithm = 1; algorithm <= 3; algorithm++) {
        add_all_ways(burst, algorithm, 0, UINT16_MAX, 0);
        add_all_ways(burst, algorithm, 100, UINT16_MAX, 1);
        cp_burst_run(burst, tier, "the longest AAD");
    }
    around(tier, burst, 1 << 16, 1);

    /* 254 and 255 blocks bring the counter to 256; then 512 bytes and more around, since kernels take that much at a time. */
    for (uint32_t blocks = 254 - 32; blocks <= 256 + 32; blocks++)
        around(tier, burst, blocks * 16, 5);
    around(tier, burst, 16 * ((1 << 16) - 2), 16);
    around(tier, burst, 16 * (1 << 16), 515);
    if (!options->quick)
        around(tier, burst, 16 * (1 << 20), 1027);
    cp_burst_free(burst);
}

int main(int argc, char **argv) { return cp_test_tiers(argc, argv, test); }
