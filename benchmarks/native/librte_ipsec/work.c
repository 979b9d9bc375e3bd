/* What is measured: bursts of packets through librte_ipsec and the device, as an application on DPDK takes them (see ipsec-secgw). */
#include "bench.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_prefetch.h>

enum { AHEAD = 8 };

static void run_device(struct rte_mbuf *packets[], struct rte_crypto_op *ops[], uint16_t count) {
    struct rte_crypto_op *done[BENCH_MAX_BURST];
    struct rte_ipsec_group groups[BENCH_MAX_BURST];
    for (uint16_t sent = 0, got = 0; got < count;) {
        sent += rte_cryptodev_enqueue_burst(BENCH_DEVICE, 0, ops + sent, (uint16_t)(count - sent));
        got += rte_cryptodev_dequeue_burst(BENCH_DEVICE, 0, done + got, (uint16_t)(count - got));
    }
    uint16_t number = rte_ipsec_pkt_crypto_group((const struct rte_crypto_op **)(uintptr_t)done, packets, groups, count);
    for (uint16_t i = 0; i < number; i++) {
        if (rte_ipsec_pkt_process(groups[i].id.ptr, groups[i].m, (uint16_t)groups[i].cnt) != groups[i].cnt)
            bench_die("librte_ipsec refuses a packet after the cryptography");
    }
}

static void by_lookaside(bench_sa *const sas[], struct rte_mbuf *packets[], uint16_t count) {
    struct rte_crypto_op *ops[BENCH_MAX_BURST];
    for (uint16_t first = 0, end; first < count; first = end) {
        for (end = (uint16_t)(first + 1); end < count && sas[end] == sas[first]; end++) {}
        for (uint16_t i = first; i < end; i++)
            ops[i] = rte_mbuf_to_priv(packets[i]);
        if (rte_ipsec_pkt_crypto_prepare(&sas[first]->lookaside, packets + first, ops + first, (uint16_t)(end - first)) != end - first)
            bench_die("librte_ipsec refuses a packet");
    }
    run_device(packets, ops, count);
}

static void by_cpu(bench_sa *const sas[], struct rte_mbuf *packets[], uint16_t count) {
    for (uint16_t first = 0, end; first < count; first = end) {
        for (end = (uint16_t)(first + 1); end < count && sas[end] == sas[first]; end++) {}
        const struct rte_ipsec_session *session = &sas[first]->cpu;
        const uint16_t number = (uint16_t)(end - first);
        if (rte_ipsec_pkt_cpu_prepare(session, packets + first, number) != number || rte_ipsec_pkt_process(session, packets + first, number) != number)
            bench_die("librte_ipsec refuses a packet");
    }
}

void bench_seal(const bench_tunnels *tunnels, struct rte_mbuf *packets[], uint16_t count, int cpu) {
    bench_sa *sas[BENCH_MAX_BURST];
    for (uint16_t i = 0; i < count; i++) {
        sas[i] = tunnels->sas + ((const bench_private *)rte_mbuf_to_priv(packets[i]))->sa;
        rte_prefetch0(sas[i]);
        rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
    }
    for (uint16_t i = 0; i < count; i++)
        rte_prefetch0(cpu ? sas[i]->cpu.sa : sas[i]->lookaside.sa);
    if (cpu)
        by_cpu(sas, packets, count);
    else
        by_lookaside(sas, packets, count);
}

void bench_open(const bench_tunnels *tunnels, struct rte_mbuf *packets[], uint16_t count, int cpu) {
    union rte_ipsec_sad_key keys[BENCH_MAX_BURST];
    const union rte_ipsec_sad_key *places[BENCH_MAX_BURST];
    bench_sa *sas[BENCH_MAX_BURST];
    for (uint16_t i = 0; i < count && i < AHEAD; i++)
        rte_prefetch0(rte_pktmbuf_mtod(packets[i], void *));
    for (uint16_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            rte_prefetch0(rte_pktmbuf_mtod(packets[i + AHEAD], void *));
        const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(packets[i], const struct rte_ipv4_hdr *);
        if (ip->version_ihl != 0x45 || ip->next_proto_id != IPPROTO_ESP || (ip->fragment_offset & rte_cpu_to_be_16(0x3FFF)) != 0 ||
            rte_be_to_cpu_16(ip->total_length) > packets[i]->pkt_len)
            bench_die("a packet is not ESP");
        packets[i]->l2_len = 0;
        packets[i]->l3_len = BENCH_OUTER;
        keys[i].v4.spi = *(const uint32_t *)(ip + 1);
        places[i] = keys + i;
    }
    rte_ipsec_sad_lookup(tunnels->sad, places, (void **)sas, count);
    for (uint16_t i = 0; i < count; i++) {
        if (sas[i] == NULL)
            bench_die("the SA database does not find an SA");
        rte_prefetch0(sas[i]);
    }
    for (uint16_t i = 0; i < count; i++)
        rte_prefetch0(cpu ? sas[i]->cpu.sa : sas[i]->lookaside.sa);
    if (cpu)
        by_cpu(sas, packets, count);
    else
        by_lookaside(sas, packets, count);
}
