/* Random bytes that a seed repeats (SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
#ifndef CP_TEST_RANDOM_H
#define CP_TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint64_t state;
} cp_random;

static inline uint64_t cp_random_next(cp_random *random) {
    uint64_t z = random->state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

/* 0 to limit - 1. */
static inline uint32_t cp_random_below(cp_random *random, uint32_t limit) {
    return (uint32_t)((cp_random_next(random) >> 32) * limit >> 32);
}

static inline void cp_random_fill(cp_random *random, void *to, size_t count) {
    uint8_t *bytes = to;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t value = cp_random_next(random);
        memcpy(bytes, &value, 8);
    }
    uint64_t last = cp_random_next(random);
    memcpy(bytes, &last, count);
}

#endif
