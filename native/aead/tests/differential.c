/*
 * Random messages in random bursts against libcrypto: keys, sizes, AAD, alignments, in and out of place, genuine and forged.
 *
 *     differential [--tier NAME] --cases 10000000 --progress [--seed N]      so many messages
 *     differential [--tier NAME] --seconds 600                               for so long
 */
#include "support/burst.h"
#include "support/check.h"
#include "support/program.h"

#include <stdio.h>

enum { CASES = 40000, QUICK_CASES = 4000 };

/* Most messages are packets; some are as small as can be, and few are large. */
static uint32_t random_length(cp_random *random) {
    switch (cp_random_below(random, 16)) {
    case 0 ... 5:
        return cp_random_below(random, 81);
    case 6 ... 10:
        return cp_random_below(random, 601);
    case 11 ... 14:
        return cp_random_below(random, 1601);
    default:
        return cp_random_below(random, cp_random_below(random, 8) ? 9001 : 70001);
    }
}

static uint16_t random_aad_length(cp_random *random) {
    switch (cp_random_below(random, 8)) {
    case 0 ... 4:
        return (uint16_t)cp_random_below(random, 17);
    case 5 ... 6:
        return (uint16_t)cp_random_below(random, 66);
    default:
        return (uint16_t)cp_random_below(random, 600);
    }
}

static cp_shape random_shape(cp_random *random) {
    return (cp_shape){
        .algorithm = (uint8_t)(1 + cp_random_below(random, 3)),
        .direction = (uint8_t)cp_random_below(random, 2),
        .in_place = (uint8_t)cp_random_below(random, 2),
        .key = (uint8_t)cp_random_below(random, CP_KEYS_PER_ALGORITHM),
        .forgery = cp_random_below(random, 4) ? CP_GENUINE : (cp_forgery)cp_random_below(random, CP_FORGERIES),
        .length = random_length(random),
        .aad_length = random_aad_length(random),
    };
}

/* What the messages of a burst have in common: kernels work on neighbours of one shape together, and on the rest one by one. */
enum { SAME_ALGORITHM = 1, SAME_DIRECTION = 2, SAME_LENGTH = 4, SAME_BLOCKS = 8, SAME_KEY = 16, SAME_AAD = 32, COMMON = 64 };

static size_t add_burst(cp_burst *burst, cp_random *random, size_t limit) {
    static const uint8_t sizes[8] = {1, 4, 8, 9, 32, 33, 64, CP_BURST_LIMIT};
    size_t count = 1 + cp_random_below(random, sizes[cp_random_below(random, 8)]);
    uint32_t common = cp_random_below(random, COMMON);
    cp_shape first = random_shape(random);
    if (count > limit)
        count = limit;
    for (size_t i = 0; i < count; i++) {
        cp_shape shape = random_shape(random);
        if (common & SAME_ALGORITHM)
            shape.algorithm = first.algorithm;
        if (common & SAME_DIRECTION)
            shape.direction = first.direction;
        if (common & SAME_KEY)
            shape.key = first.key;
        if (common & SAME_AAD)
            shape.aad_length = first.aad_length;
        if (common & SAME_LENGTH)
            shape.length = first.length;
        else if (common & SAME_BLOCKS)
            shape.length = first.length < 16 ? cp_random_below(random, 17) : first.length / 16 * 16 - cp_random_below(random, 16);
        cp_burst_add(burst, &shape);
    }
    return count;
}

static void test(const cp_aead_tier *tier, const cp_options *options) {
    cp_random random = {options->seed};
    cp_burst *burst = cp_burst_new(&random);
    unsigned long done = 0, bursts = 0, cases = options->cases;
    if (cases == 0)
        cases = options->seconds ? ~0ul : options->quick ? QUICK_CASES : CASES;
    double start = cp_clock(), shown = start, now = start;
    while (done < cases && (options->seconds == 0 || now - start < (double)options->seconds)) {
        char where[96];
        snprintf(where, sizeof where, "%s, seed %llu, burst %lu", tier->name, (unsigned long long)options->seed, bursts++);
        cp_burst_new_key(burst, (uint8_t)(1 + cp_random_below(&random, 3)), (uint8_t)cp_random_below(&random, CP_KEYS_PER_ALGORITHM));
        done += add_burst(burst, &random, cases - done);
        cp_burst_run(burst, tier, where);
        now = cp_clock();
        if (options->progress && now - shown >= 1) {
            shown = now;
            fprintf(stderr, "\r%s: %lu messages, %.0f per second, %lu failed ", tier->name, done, (double)done / (now - start),
                    cp_failures);
        }
    }
    if (options->progress)
        fputc('\n', stderr);
    cp_burst_free(burst);
    printf("%s: %lu messages in %lu bursts, seed %llu, %.0f per second\n", tier->name, done, bursts, (unsigned long long)options->seed,
           (double)done / (now - start));
}

int main(int argc, char **argv) { return cp_test_tiers(argc, argv, test); }
