#include "program.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PRINTED_FAILURES = 20 };

unsigned long cp_checks, cp_failures;

int cp_failed(const char *file, int line) {
    if (cp_failures++ >= PRINTED_FAILURES)
        return 0;
    const char *name = strrchr(file, '/');
    printf("%s:%d:", name ? name + 1 : file, line);
    return 1;
}

double cp_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

cp_aead_key *cp_keys_new(size_t count) {
    cp_aead_key *keys = aligned_alloc(64, count * sizeof *keys);
    if (keys == NULL) {
        printf("out of memory\n");
        exit(2);
    }
    memset(keys, 0, count * sizeof *keys);
    return keys;
}

void cp_key_expand(cp_aead_key *key, uint8_t algorithm, const uint8_t *raw) {
    if (!CHECK(cp_aead_expand_key(key, algorithm, raw) == 1, "algorithm %d", algorithm))
        exit(1);
}

static void usage(const char *program, const char *argument) {
    printf("unknown argument '%s'\nusage: %s [--tier NAME] [--seed N] [--cases N] [--seconds N] [--quick] [--progress]\n", argument,
           program);
    exit(2);
}

static cp_options read_options(int argc, char **argv) {
    cp_options options = {.seed = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--quick") == 0)
            options.quick = 1;
        else if (strcmp(argv[i], "--progress") == 0)
            options.progress = 1;
        else if (strcmp(argv[i], "--tier") == 0)
            options.tier = value, i++;
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = strtoull(value, NULL, 0), i++;
        else if (strcmp(argv[i], "--cases") == 0)
            options.cases = strtoul(value, NULL, 0), i++;
        else if (strcmp(argv[i], "--seconds") == 0)
            options.seconds = strtoul(value, NULL, 0), i++;
        else
            usage(argv[0], argv[i]);
    }
    return options;
}

int cp_test_tiers(int argc, char **argv, void (*test)(const cp_aead_tier *tier, const cp_options *options)) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    cp_options options = read_options(argc, argv);
    int ran = 0, named = 0;
    const cp_aead_tier *tier;
    for (size_t i = 0; (tier = cp_aead_tier_at(i)) != NULL; i++) {
        if (options.tier != NULL && strcmp(options.tier, tier->name) != 0)
            continue;
        named = 1;
        if (!tier->is_supported()) {
            printf("%s: skipped: this CPU lacks %s\n", tier->name, tier->instructions);
            continue;
        }
        ran = 1;
        unsigned long checks = cp_checks, failures = cp_failures;
        double start = cp_clock();
        test(tier, &options);
        printf("%s: %lu checks, %lu failed, %.1f s\n", tier->name, cp_checks - checks, cp_failures - failures, cp_clock() - start);
        /* A test that checked nothing has not passed. */
        CHECK(cp_checks > checks, "%s: nothing was checked", tier->name);
    }
    if (!named) {
        printf("this library has no tier '%s'\n", options.tier ? options.tier : "(any)");
        return 1;
    }
    if (cp_failures > 0)
        printf("%lu of %lu checks failed (seed %llu)\n", cp_failures, cp_checks, (unsigned long long)options.seed);
    return cp_failures > 0 ? 1 : ran ? 0 : CP_EXIT_SKIPPED;
}
