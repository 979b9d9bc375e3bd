/*
 * DPDK's rte_hash, as "eng/bench.sh flows" measures it: a program with an EAL of its own, which waits for requests, one per line, and
 * works only between a request and its answer.
 *
 *   usage: peer_rte_hash EAL-ARGUMENTS -- KEY-BYTES FLOWS ENTRIES
 *
 *   first it says             ready TSC-HERTZ DPDK-VERSION, with FLOWS flows in a table for ENTRIES; or full, where they do not fit
 *   lookup RUNS SAMPLES       the samples, in nanoseconds of CPU time per flow: each of RUNS runs of BENCH_KEYS keys, in bursts of 32
 *   refill                    two figures: removing all flows, and adding them again, per flow, in other orders
 *
 * One thread; the lock-free variant for many readers (RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF); rte_hash's own hash function. The keys of a
 * run are made before the clock starts, and what was found is looked at after it stopped.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_lcore.h>
#include <rte_version.h>

enum { BENCH_KEYS = 1024, BENCH_BURST = 32, BENCH_MAX_KEY = 40 };

typedef struct {
    struct rte_hash *hash;
    uint32_t key_bytes;
    uint32_t flows;
    uint32_t *order;   /* a permutation of all flows */
    uint64_t position; /* in the stream of all look-ups */
    uint64_t random;
    uint32_t number[BENCH_KEYS]; /* the flows of this run */
    void *found[BENCH_KEYS];
    const void *keys[BENCH_KEYS];
    uint8_t bytes[BENCH_KEYS][BENCH_MAX_KEY] __attribute__((aligned(64)));
} bench;

static void die(const char *what) {
    fprintf(stderr, "peer_rte_hash: %s (%s)\n", what, rte_strerror(rte_errno));
    exit(2);
}

/* CPU time of this thread: what other processes of a shared machine take is not in it. */
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* A flow's 5-tuple, the same bytes as FlowKeys.cs makes: addresses, ports, and the protocol in a word of its own. */
static void make_key(uint8_t *key, uint32_t key_bytes, uint32_t flow) {
    uint64_t random = mix(flow + UINT64_C(0x9E3779B97F4A7C15));
    uint64_t ports = ((random >> 16) & 0xFFFF) | (UINT64_C(443) << 16) | (UINT64_C(6) << 32);
    uint64_t words[5];
    if (key_bytes == 16) {
        words[0] = (UINT64_C(0x0A000000) + flow) | ((UINT64_C(0xC0A80000) | (random & 0xFFFF)) << 32);
        words[1] = ports;
    } else {
        words[0] = UINT64_C(0x20010DB800000000);
        words[1] = flow;
        words[2] = UINT64_C(0x20010DB800000001);
        words[3] = random & 0xFFFF;
        words[4] = ports;
    }
    memcpy(key, words, key_bytes);
}

static void shuffle(bench *b) {
    for (uint32_t i = b->flows - 1; i > 0; i--) {
        uint32_t other = (uint32_t)(mix(b->random += UINT64_C(0x9E3779B97F4A7C15)) % (i + 1)), flow = b->order[i];
        b->order[i] = b->order[other];
        b->order[other] = flow;
    }
}

/* The keys of the next run. */
static void next_keys(bench *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++, b->position++) {
        b->number[i] = b->order[b->position % b->flows];
        make_key(b->bytes[i], b->key_bytes, b->number[i]);
        b->keys[i] = b->bytes[i];
    }
}

static double look_up(bench *b) {
    next_keys(b, BENCH_KEYS);
    uint64_t hits = UINT64_MAX >> (64 - BENCH_BURST);
    double start = now();
    for (uint32_t first = 0; first < BENCH_KEYS; first += BENCH_BURST) {
        uint64_t mask = 0;
        rte_hash_lookup_bulk_data(b->hash, b->keys + first, BENCH_BURST, &mask, b->found + first);
        hits &= mask;
    }
    double spent = now() - start;
    if (hits != UINT64_MAX >> (64 - BENCH_BURST))
        die("a flow is not found");
    for (uint32_t i = 0; i < BENCH_KEYS; i++) {
        if ((uintptr_t)b->found[i] != b->number[i] + UINT64_C(1))
            die("another flow is found");
    }
    return spent;
}

/* All flows, run by run: added or removed. Nanoseconds, or a negative number if one does not fit. */
static double change_all(bench *b, int adds) {
    double spent = 0;
    int failed = 0;
    b->position = 0;
    for (uint32_t done = 0; done < b->flows && !failed;) {
        uint32_t count = b->flows - done < BENCH_KEYS ? b->flows - done : BENCH_KEYS;
        next_keys(b, count);
        double start = now();
        for (uint32_t i = 0; i < count; i++) {
            if (adds) {
                failed |= rte_hash_add_key_data(b->hash, b->keys[i], (void *)(b->number[i] + (uintptr_t)1)) != 0;
            } else {
                /* Without RCU the lock-free variant leaves it to its user when a key's place may be used again: here at once. */
                int32_t place = rte_hash_del_key(b->hash, b->keys[i]);
                failed |= place < 0 || rte_hash_free_key_with_position(b->hash, place) != 0;
            }
        }
        spent += now() - start;
        done += count;
    }
    return failed ? -1 : spent;
}

static void answer(bench *b, FILE *answers, const char *request) {
    uint32_t runs, samples;
    if (sscanf(request, "lookup %" SCNu32 " %" SCNu32, &runs, &samples) == 2 && runs > 0) {
        look_up(b); /* Warms up, after the others' turn. */
        for (uint32_t sample = 0; sample < samples; sample++) {
            double spent = 0;
            for (uint32_t i = 0; i < runs; i++)
                spent += look_up(b);
            fprintf(answers, "%.3f ", spent / runs / BENCH_KEYS);
        }
    } else if (strncmp(request, "refill", 6) == 0) {
        shuffle(b);
        double removed = change_all(b, 0);
        shuffle(b);
        double added = change_all(b, 1);
        if (removed < 0 || added < 0)
            die("a flow is not removed, or does not fit any more");
        fprintf(answers, "%.3f %.3f", removed / b->flows, added / b->flows);
    } else {
        die("a request is not understood");
    }
    fprintf(answers, "\n");
}

static uint32_t number(const char *text, uint32_t most) {
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (value == 0 || value > most || *end != '\0')
        die("usage: peer_rte_hash EAL-ARGUMENTS -- 16|40 FLOWS ENTRIES");
    return (uint32_t)value;
}

int main(int argc, char **argv) {
    static bench b;
    /* What libraries print on standard output must not get among the answers. */
    FILE *answers = fdopen(dup(STDOUT_FILENO), "w");
    dup2(STDERR_FILENO, STDOUT_FILENO);
    int used = rte_eal_init(argc, argv);
    if (used < 0)
        die("the EAL does not start");
    argc -= used;
    argv += used;
    if (argc != 4)
        die("usage: peer_rte_hash EAL-ARGUMENTS -- 16|40 FLOWS ENTRIES");
    b.key_bytes = number(argv[1], BENCH_MAX_KEY) == 16 ? 16 : 40;
    b.flows = number(argv[2], 1u << 24);
    struct rte_hash_parameters parameters = {
        .name = "flows",
        .entries = number(argv[3], 1u << 25),
        .key_len = b.key_bytes,
        .socket_id = (int)rte_socket_id(),
        .extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
    };
    b.hash = rte_hash_create(&parameters);
    b.order = malloc(b.flows * sizeof *b.order);
    if (b.hash == NULL || b.order == NULL)
        die("no table");
    for (uint32_t i = 0; i < b.flows; i++)
        b.order[i] = i;
    shuffle(&b);
    int fits = change_all(&b, 1) >= 0;
    fprintf(answers, "%s %" PRIu64 " %s\n", fits ? "ready" : "full", rte_get_tsc_hz(), rte_version());
    fflush(answers);
    char request[128];
    while (fits && fgets(request, sizeof request, stdin) != NULL) {
        answer(&b, answers, request);
        fflush(answers);
    }
    return 0;
}
