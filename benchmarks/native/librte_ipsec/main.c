/* Starts the EAL, then measures on request until its input ends. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_version.h>

void bench_die(const char *what) {
    fprintf(stderr, "peer_librte_ipsec: %s (%s)\n", what, rte_strerror(rte_errno));
    exit(2);
}

/* CPU time of this thread: what other processes of a shared machine take is not in it. */
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double run(bench_tunnels *tunnels, struct rte_mbuf *packets[], uint32_t bytes, uint16_t burst, int cpu) {
    struct rte_mbuf *work[BENCH_PACKETS];
    bench_fill(tunnels, packets, bytes);
    memcpy(work, packets, sizeof work); /* librte_ipsec changes the order of what it is given */
    double start = now();
    for (uint32_t first = 0; first < BENCH_PACKETS; first += burst) {
        if (tunnels->opens)
            bench_open(tunnels, work + first, burst, cpu);
        else
            bench_seal(tunnels, work + first, burst, cpu);
    }
    double spent = now() - start;
    bench_check(tunnels, packets, bytes);
    return spent;
}

static void measure(bench_tunnels *tunnels, FILE *answers, const char *request) {
    static struct rte_mbuf *packets[BENCH_PACKETS];
    static uint32_t made_for;
    char mode[16];
    uint32_t bytes, burst, runs, samples;
    if (sscanf(request, "%15s %u %u %u %u", mode, &bytes, &burst, &runs, &samples) != 5 || burst == 0 || burst > BENCH_MAX_BURST ||
        BENCH_PACKETS % burst != 0 || bytes < 20 || bytes > 8192 || runs == 0 || (strcmp(mode, "cpu") != 0 && strcmp(mode, "lookaside") != 0))
        bench_die("a request is not understood");
    if (made_for != bytes) {
        if (made_for != 0)
            bench_packets_free(packets);
        bench_packets_create(packets, bytes);
        made_for = bytes;
    }
    run(tunnels, packets, bytes, (uint16_t)burst, strcmp(mode, "cpu") == 0); /* Warms up, after the others' turn. */
    for (uint32_t sample = 0; sample < samples; sample++) {
        double spent = 0;
        for (uint32_t i = 0; i < runs; i++)
            spent += run(tunnels, packets, bytes, (uint16_t)burst, strcmp(mode, "cpu") == 0);
        fprintf(answers, "%.3f ", spent / runs / BENCH_PACKETS);
    }
    fprintf(answers, "\n");
}

int main(int argc, char **argv) {
    /* What libraries print on standard output must not get among the answers. */
    FILE *answers = fdopen(dup(STDOUT_FILENO), "w");
    dup2(STDERR_FILENO, STDOUT_FILENO);
    int used = rte_eal_init(argc, argv);
    if (used < 0)
        bench_die("the EAL does not start");
    argc -= used;
    argv += used;
    char *end = NULL;
    unsigned long count = argc == 3 ? strtoul(argv[2], &end, 10) : 0;
    if (count == 0 || count > 1u << 20 || *end != '\0' || (strcmp(argv[1], "seal") != 0 && strcmp(argv[1], "open") != 0))
        bench_die("usage: peer_librte_ipsec EAL-ARGUMENTS -- seal|open SAS");
    bench_tunnels tunnels = {0};
    bench_tunnels_create(&tunnels, strcmp(argv[1], "open") == 0, (uint32_t)count);
    fprintf(answers, "ready %lu %s\n", rte_get_tsc_hz(), rte_version());
    fflush(answers);
    char request[128];
    while (fgets(request, sizeof request, stdin) != NULL) {
        measure(&tunnels, answers, request);
        fflush(answers);
    }
    return 0;
}
