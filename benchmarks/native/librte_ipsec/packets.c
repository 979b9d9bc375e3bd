/* Buffers, inner packets, and ESP packets as peers seal them. */
#include "bench.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>

static struct rte_mempool *pool;

static uint32_t padding_of(uint32_t bytes) { return -(bytes + 2) & 3; }

/* The length of a sealed packet with its outer header. */
static uint32_t outer_length(uint32_t bytes) { return BENCH_OUTER + BENCH_ESP + BENCH_IV + bytes + padding_of(bytes) + 2 + BENCH_ICV; }

void bench_packets_create(struct rte_mbuf *packets[], uint32_t bytes) {
    const uint16_t private_size = RTE_ALIGN(sizeof(bench_private), RTE_MBUF_PRIV_ALIGN);
    pool = rte_pktmbuf_pool_create("bench_packets", BENCH_PACKETS, 0, private_size, (uint16_t)(RTE_PKTMBUF_HEADROOM + bytes + 128), SOCKET_ID_ANY);
    if (pool == NULL || rte_pktmbuf_alloc_bulk(pool, packets, BENCH_PACKETS) != 0)
        bench_die("no memory for packets");
    for (int i = 0; i < BENCH_PACKETS; i++) {
        bench_private *private = rte_mbuf_to_priv(packets[i]);
        memset(private, 0, sizeof *private);
        private->op.type = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
        private->op.sess_type = RTE_CRYPTO_OP_WITH_SESSION;
    }
}

void bench_packets_free(struct rte_mbuf *packets[]) {
    rte_pktmbuf_free_bulk(packets, BENCH_PACKETS);
    rte_mempool_free(pool);
}

static void put_inner(uint8_t *at, uint32_t bytes) {
    memset(at, 0xA5, bytes);
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;
    *ip = (struct rte_ipv4_hdr){.version_ihl = 0x45, .total_length = rte_cpu_to_be_16((uint16_t)bytes), .fragment_offset = rte_cpu_to_be_16(0x4000),
        .time_to_live = 64, .next_proto_id = IPPROTO_UDP};
}

/* Writes a whole packet from the peer of an SA but for its ICV, and the operation that seals it. */
static void put_outer(bench_tunnels *tunnels, struct rte_mbuf *packet, uint32_t bytes) {
    bench_private *private = rte_mbuf_to_priv(packet);
    const uint32_t padding = padding_of(bytes);
    const uint64_t sequence = ++tunnels->sequences[private->sa], iv = rte_cpu_to_be_64(sequence);
    const uint32_t spi = rte_cpu_to_be_32(tunnels->sas[private->sa].spi), low = rte_cpu_to_be_32((uint32_t)sequence);
    uint8_t *data = (uint8_t *)rte_pktmbuf_append(packet, (uint16_t)outer_length(bytes)), *esp = data + BENCH_OUTER;
    uint8_t *inner = esp + BENCH_ESP + BENCH_IV, *trailer = inner + bytes;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)data;
    *ip = (struct rte_ipv4_hdr){.version_ihl = 0x45, .total_length = rte_cpu_to_be_16((uint16_t)outer_length(bytes)), .time_to_live = 64, .next_proto_id = IPPROTO_ESP};
    memcpy(esp, &spi, 4);
    memcpy(esp + 4, &low, 4);
    memcpy(esp + 8, &iv, 8);
    put_inner(inner, bytes);
    for (uint32_t i = 0; i < padding; i++)
        *trailer++ = (uint8_t)(i + 1);
    trailer[0] = (uint8_t)padding;
    trailer[1] = IPPROTO_IPIP;

    memcpy(private->nonce, "salt", 4);
    memcpy(private->nonce + 4, &iv, 8);
    memcpy(private->aad, &spi, 4);
    memcpy(private->aad + 4, &iv, 8);
    private->op.status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
    private->sym.m_src = packet;
    private->sym.m_dst = NULL;
    private->sym.session = tunnels->forge;
    private->sym.aead.data.offset = (uint32_t)(inner - data);
    private->sym.aead.data.length = bytes + padding + 2;
    private->sym.aead.aad.data = private->aad;
    private->sym.aead.digest.data = inner + bytes + padding + 2;
}

static void seal_all(struct rte_mbuf *packets[]) {
    struct rte_crypto_op *ops[BENCH_MAX_BURST], *done[BENCH_MAX_BURST];
    for (int first = 0; first < BENCH_PACKETS; first += BENCH_MAX_BURST) {
        for (int i = 0; i < BENCH_MAX_BURST; i++)
            ops[i] = rte_mbuf_to_priv(packets[first + i]);
        for (uint16_t sent = 0, got = 0; got < BENCH_MAX_BURST;) {
            sent += rte_cryptodev_enqueue_burst(BENCH_DEVICE, 0, ops + sent, (uint16_t)(BENCH_MAX_BURST - sent));
            got += rte_cryptodev_dequeue_burst(BENCH_DEVICE, 0, done, BENCH_MAX_BURST);
        }
        for (int i = 0; i < BENCH_MAX_BURST; i++) {
            if (ops[i]->status != RTE_CRYPTO_OP_STATUS_SUCCESS)
                bench_die("a peer's packet could not be sealed");
        }
    }
}

void bench_fill(bench_tunnels *tunnels, struct rte_mbuf *packets[], uint32_t bytes) {
    for (int i = 0; i < BENCH_PACKETS; i++) {
        struct rte_mbuf *packet = packets[i];
        bench_private *private = rte_mbuf_to_priv(packet);
        private->sa = tunnels->order[tunnels->position++ % tunnels->count];
        rte_pktmbuf_reset(packet);
        if (tunnels->opens)
            put_outer(tunnels, packet, bytes);
        else
            put_inner((uint8_t *)rte_pktmbuf_append(packet, (uint16_t)bytes), bytes);
    }
    if (tunnels->opens)
        seal_all(packets);
}

void bench_check(const bench_tunnels *tunnels, struct rte_mbuf *packets[], uint32_t bytes) {
    const uint32_t length = tunnels->opens ? bytes : outer_length(bytes);
    for (int i = 0; i < BENCH_PACKETS; i++) {
        const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(packets[i], const struct rte_ipv4_hdr *);
        if (packets[i]->pkt_len != length || rte_be_to_cpu_16(ip->total_length) != length || (packets[i]->ol_flags & RTE_MBUF_F_RX_SEC_OFFLOAD_FAILED) != 0)
            bench_die("a packet did not come out");
    }
}
