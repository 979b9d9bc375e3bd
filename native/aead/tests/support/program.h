/* What the test programs share: options, tiers, seed, clock and exit code. */
#ifndef CP_TEST_PROGRAM_H
#define CP_TEST_PROGRAM_H

#include "cryptoplane_aead.h"

/* ctest's SKIP_RETURN_CODE: what was asked for cannot run here, and why has been printed. */
enum { CP_EXIT_SKIPPED = 77 };

typedef struct {
    const char *tier;      /* --tier NAME: this one only, and the program is skipped where the CPU lacks it */
    uint64_t seed;         /* --seed N: repeats a run */
    unsigned long cases;   /* --cases N: how many; 0 is the program's own choice */
    unsigned long seconds; /* --seconds N: until the time is over; 0 is no limit */
    int quick;             /* --quick: a part of the cases, for slow builds and emulators */
    int progress;          /* --progress: a line per second on the standard error */
} cp_options;

/* Reads the options, runs `test` for every tier that was asked for and is there, prints a line for each. Returns main's result. */
int cp_test_tiers(int argc, char **argv, void (*test)(const cp_aead_tier *tier, const cp_options *options));

/* Seconds on a clock that only goes forward. */
double cp_clock(void);

/* A block of memory for `count` keys, zeroed and aligned as keys are. */
cp_aead_key *cp_keys_new(size_t count);

/* Expands a key, which every CPU that has a tier can. */
void cp_key_expand(cp_aead_key *key, uint8_t algorithm, const uint8_t *raw);

#endif
