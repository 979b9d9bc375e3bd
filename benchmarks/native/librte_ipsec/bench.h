/*
 * DPDK's librte_ipsec over crypto_aesni_gcm, as "eng/bench.sh esp" measures it: a program with an EAL of its own, which waits for
 * requests, one per line, and works only between a request and its answer.
 *
 *   usage: peer_librte_ipsec EAL-ARGUMENTS -- seal|open SAS
 *
 *   first it says                            ready TSC-HERTZ DPDK-VERSION
 *   lookaside|cpu BYTES BURST RUNS SAMPLES   the samples, in nanoseconds of CPU time per packet: each of RUNS runs of BENCH_PACKETS
 *                                            packets of BYTES inner bytes, in bursts of BURST, every packet by the next SA
 *
 * Tunnel mode, IPv4 in IPv4, AES-128-GCM, ESN, an anti-replay window of 1,024. Buffers and what is in them are made before the clock
 * starts. "lookaside" goes through the device's queues, "cpu" calls it (RTE_SECURITY_ACTION_TYPE_CPU_CRYPTO).
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#include <rte_cryptodev.h>
#include <rte_ipsec.h>
#include <rte_ipsec_sad.h>
#include <rte_mbuf.h>

enum {
    BENCH_PACKETS = 1024,
    BENCH_MAX_BURST = 256,
    BENCH_DEVICE = 0,
    BENCH_NONCE = 12,
    BENCH_ICV = 16,
    BENCH_AAD = 12, /* with ESN */
    BENCH_OUTER = 20,
    BENCH_ESP = 8,
    BENCH_IV = 8,
};

/* What a packet's buffer carries besides the packet: its crypto operation, which ipsec-secgw keeps there too. */
typedef struct {
    struct rte_crypto_op op;
    struct rte_crypto_sym_op sym;
    uint8_t nonce[16];
    uint8_t aad[16];
    uint32_t sa; /* its number */
} bench_private;

typedef struct {
    struct rte_ipsec_session lookaside; /* first: aligned to a cache line */
    struct rte_ipsec_session cpu;
    uint32_t spi;
} bench_sa;

typedef struct {
    int opens;
    uint32_t count;
    bench_sa *sas;
    struct rte_ipsec_sad *sad;
    uint64_t *sequences;                     /* opens: the last one sent by each peer */
    uint32_t *order;                         /* a permutation of all SAs */
    uint64_t position;                       /* the next packet's place in the stream of all packets */
    struct rte_cryptodev_sym_session *forge; /* seals what will be opened: all SAs have one key, and each a session of its own */
} bench_tunnels;

void bench_die(const char *what);

/* Makes the SAs. */
void bench_tunnels_create(bench_tunnels *tunnels, int opens, uint32_t count);

/* Makes buffers for packets of so many inner bytes. */
void bench_packets_create(struct rte_mbuf *packets[], uint32_t bytes);
void bench_packets_free(struct rte_mbuf *packets[]);

/* Puts into every buffer what a run uses up: inner packets, or what peers send. */
void bench_fill(bench_tunnels *tunnels, struct rte_mbuf *packets[], uint32_t bytes);

/* Works on a burst. */
void bench_seal(const bench_tunnels *tunnels, struct rte_mbuf *packets[], uint16_t count, int cpu);
void bench_open(const bench_tunnels *tunnels, struct rte_mbuf *packets[], uint16_t count, int cpu);

/* Stops the program unless every packet came out as it should. */
void bench_check(const bench_tunnels *tunnels, struct rte_mbuf *packets[], uint32_t bytes);

#endif
