/*
 * Does the time of an operation depend on secrets? Measured after Reparaz, Balasch and Verbauwhede, "Dude, is my code constant time?"
 * (2017): two classes of input in random order, the time of each, and Welch's t of the difference of means, for all times and for those
 * below each of several percentiles (since interrupts make long tails). |t| above 10 is a leak; 4.5 to 10 wants a longer run.
 *
 *     timing [--tier NAME] [--seconds N]
 *
 * N is for each tier; it is shared among the experiments. Either class is put into the same memory before it is measured, since where
 * data lies is no secret. Whether a message is genuine may show, since the caller learns it at once and a forgery's output is zeroed: that
 * is printed, but not judged. Exit code 1: a leak, or the comparison that leaks on purpose was not seen to leak.
 */
#include "support/check.h"
#include "support/oracle.h"
#include "support/program.h"
#include "support/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

enum { ALGORITHMS = 3, LENGTHS = 4, BURST = 8, BATCH = 1000, PERCENTILES = 12, LENGTH_LIMIT = 1536, DEFAULT_SECONDS = 20 };

static const double LEAK = 10, UNCLEAR = 4.5;
static const uint32_t lengths[LENGTHS] = {16, 64, 500, 1408};

typedef enum { SEAL_DATA, SEAL_KEY, OPEN_DATA, OPEN_TAG_POSITION, OPEN_VALIDITY, EXPERIMENTS } experiment;

static const char *const experiment_names[EXPERIMENTS] = {
    "seal, one plaintext against random ones", "seal, one key against random ones",
    "open, one message against random ones",   "open, tag wrong in its first byte against its last",
    "open, genuine against forged (public)",
};

/* Welch's t, from running means and variances (Welford's recurrence). */
typedef struct {
    double count[2], mean[2], squares[2];
} statistic;

static void add(statistic *s, int class, double value) {
    double difference = value - s->mean[class];
    s->count[class]++;
    s->mean[class] += difference / s->count[class];
    s->squares[class] += difference * (value - s->mean[class]);
}

static double welch(const statistic *s) {
    if (s->count[0] < 100 || s->count[1] < 100)
        return 0;
    double variance = 0;
    for (int class = 0; class < 2; class ++)
        variance += s->squares[class] / (s->count[class] - 1) / s->count[class];
    return variance > 0 ? (s->mean[0] - s->mean[1]) / sqrt(variance) : 0;
}

/* What is measured lies here, whichever class it is of. */
static cp_aead_operation operations[BURST] __attribute__((aligned(64)));
static uint8_t source[BURST][LENGTH_LIMIT] __attribute__((aligned(64))), destination[BURST][LENGTH_LIMIT] __attribute__((aligned(64)));
static cp_aead_key *key;
static uint8_t right_tag[CP_AEAD_TAG_SIZE];

/*
 * The inputs of a batch, made before it is measured, each of a class drawn for it: neither where an input lies nor what was done just
 * before says what class it is of. Otherwise caches and branch predictors would tell the classes apart, and not the kernels.
 */
static cp_aead_key *keys;
static uint8_t inputs[BATCH][LENGTH_LIMIT], classes[BATCH];

typedef struct {
    const cp_aead_tier *tier;
    uint8_t algorithm;
    experiment kind;
    uint32_t length;
    cp_random random;
    uint8_t raw_key[CP_AEAD_MAX_KEY_SIZE], message[LENGTH_LIMIT]; /* the fixed ones */
    cp_oracle *oracle;
} subject;

static void begin(subject *s) {
    keys = keys ? keys : cp_keys_new(BATCH);
    key = key ? key : cp_keys_new(1);
    cp_random_fill(&s->random, s->raw_key, sizeof s->raw_key);
    cp_random_fill(&s->random, s->message, sizeof s->message);
    for (int i = 0; i < BURST; i++)
        operations[i] = (cp_aead_operation){
            .source = source[i], .destination = destination[i], .key = key, .length = s->length, .direction = s->kind >= OPEN_DATA};
    s->oracle = cp_oracle_new(s->algorithm, s->raw_key);
}

static void make_inputs(subject *s) {
    for (int i = 0; i < BATCH; i++) {
        int class = classes[i] = cp_random_next(&s->random) >> 63;
        /* Both classes do the same work, and choose from its results. */
        uint8_t random_key[CP_AEAD_MAX_KEY_SIZE], random_message[LENGTH_LIMIT];
        cp_random_fill(&s->random, random_key, sizeof random_key);
        cp_random_fill(&s->random, random_message, s->length);
        if (i == 0 || s->kind == SEAL_KEY)
            cp_key_expand(&keys[i], s->algorithm, class && s->kind == SEAL_KEY ? random_key : s->raw_key);
        else
            keys[i] = keys[0];
        memcpy(inputs[i], class && (s->kind == SEAL_DATA || s->kind == OPEN_DATA) ? random_message : s->message, s->length);
        if (s->kind >= OPEN_DATA)
            cp_oracle_seal(s->oracle, operations[0].nonce, NULL, 0, inputs[i], s->length, inputs[i]);
        if (s->kind == OPEN_TAG_POSITION) {
            memcpy(right_tag, inputs[i] + s->length, sizeof right_tag);
            inputs[i][s->length + (class ? CP_AEAD_TAG_SIZE - 1 : 0)] ^= 1;
        }
        if (s->kind == OPEN_VALIDITY)
            inputs[i][s->length] ^= (uint8_t) class;
    }
}

/* Brings an input to where it is measured, and waits until it is there. */
static void load(const subject *s, int input) {
    memcpy(key, &keys[input], sizeof *key);
    for (int i = 0; i < BURST; i++)
        memcpy(source[i], inputs[input], s->length + CP_AEAD_TAG_SIZE);
    _mm_mfence();
}

static uint64_t measure(const subject *s, size_t count) {
    unsigned processor;
    _mm_lfence();
    uint64_t start = __rdtsc();
    _mm_lfence();
    s->tier->run(operations, count);
    uint64_t end = __rdtscp(&processor);
    _mm_lfence();
    return end - start;
}

/* A comparison as it must not be: it stops at the first difference. */
static __attribute__((noinline)) int leaky_compare(const uint8_t *a, const volatile uint8_t *b) {
    for (int i = 0; i < CP_AEAD_TAG_SIZE; i++) {
        if (a[i] != b[i])
            return 0;
    }
    return 1;
}

static void leaky_run(cp_aead_operation *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        list[i].status = (uint8_t)leaky_compare(list[i].source + list[i].length, right_tag);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The largest |t| after so many seconds. */
static double run_experiment(subject *s, size_t count, double seconds, unsigned long *measurements) {
    static uint32_t times[BATCH], sorted[BATCH];
    statistic statistics[PERCENTILES + 1] = {0};
    uint32_t limits[PERCENTILES] = {0};
    begin(s);
    double end = cp_clock() + seconds;
    *measurements = 0;
    for (int batch = 0; batch < 5 || cp_clock() < end; batch++) {
        make_inputs(s);
        for (int i = 0; i < BATCH; i++) {
            load(s, i);
            times[i] = (uint32_t)measure(s, count);
        }
        if (batch == 0) { /* warms up, and says where the percentiles are: 50 %, 65 %, 75 % and so on */
            memcpy(sorted, times, sizeof times);
            qsort(sorted, BATCH, sizeof sorted[0], by_size);
            for (int p = 0; p < PERCENTILES; p++)
                limits[p] = sorted[(int)((1 - pow(0.5, 0.5 * (p + 2))) * (BATCH - 1))];
            continue;
        }
        for (int i = 0; i < BATCH; i++) {
            add(&statistics[PERCENTILES], classes[i], times[i]);
            for (int p = 0; p < PERCENTILES; p++) {
                if (times[i] <= limits[p])
                    add(&statistics[p], classes[i], times[i]);
            }
        }
        *measurements += BATCH;
    }
    cp_oracle_free(s->oracle);
    double largest = 0;
    for (int p = 0; p <= PERCENTILES; p++)
        largest = fmax(largest, fabs(welch(&statistics[p])));
    return largest;
}

static const char *verdict(double t) { return t > LEAK ? "LEAK" : t > UNCLEAR ? "unclear" : "ok"; }

static void test(const cp_aead_tier *tier, const cp_options *options) {
    const double total = options->seconds ? (double)options->seconds : DEFAULT_SECONDS;
    const double each = total / (ALGORITHMS * LENGTHS * EXPERIMENTS * 2 + 1);
    unsigned long measurements, all = 0;
    const cp_aead_tier leaky = {.name = "leaky", .run = leaky_run};
    subject s = {.tier = &leaky, .algorithm = CP_AEAD_AES_128_GCM, .kind = OPEN_TAG_POSITION, .length = 64, .random = {options->seed}};
    double t = run_experiment(&s, BURST, each, &measurements);
    printf("%-9s a comparison that leaks on purpose: |t| %.0f, %lu measurements\n", tier->name, t, measurements);
    CHECK(t > LEAK, "this machine is too noisy for the test to see a leak in %.1f s", each);

    double worst = 0;
    s.tier = tier;
    for (s.algorithm = 1; s.algorithm <= ALGORITHMS; s.algorithm++) {
        for (s.kind = 0; s.kind < EXPERIMENTS; s.kind++) {
            printf("%-9s %-17s %-51s", tier->name, cp_algorithm_name(s.algorithm), experiment_names[s.kind]);
            double largest = 0;
            unsigned long here = 0;
            for (int variant = 0; variant < 2 * LENGTHS; variant++) {
                s.length = lengths[variant / 2];
                t = run_experiment(&s, variant & 1 ? BURST : 1, each, &measurements);
                /* A large t may be another process's doing: it must come back, measured again and four times as long. */
                if (t > UNCLEAR && s.kind != OPEN_VALIDITY)
                    t = run_experiment(&s, variant & 1 ? BURST : 1, 4 * each, &measurements);
                printf(" %4.1f", t);
                largest = fmax(largest, t);
                here += measurements;
            }
            printf("  largest %4.1f %s, %lu measurements\n", largest, s.kind == OPEN_VALIDITY ? "not judged" : verdict(largest), here);
            all += here;
            if (s.kind == OPEN_VALIDITY)
                continue;
            CHECK(largest <= LEAK, "%s, %s, %s", tier->name, cp_algorithm_name(s.algorithm), experiment_names[s.kind]);
            worst = fmax(worst, largest);
        }
    }
    printf("%-9s largest |t| %.1f: %s (%lu measurements)\n", tier->name, worst, verdict(worst), all);
}

int main(int argc, char **argv) {
    printf("|t| for 16, 64, 500 and 1,408 bytes, each singly and in bursts of %d\n", BURST);
    return cp_test_tiers(argc, argv, test);
}
