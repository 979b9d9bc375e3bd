/* Bursts of frames. */
#include "eth_port.h"
#include "pool.h"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

enum {
    /* Frames per call of the driver: many drivers' vector code takes no more at a time. */
    BURST = 64,

    /* So many packets ahead, their headers are fetched into the cache. */
    AHEAD = 4
};

const cpd_eth_queue_counters *cpd_eth_queue_read(const cpd_eth_queue *queue) { return &queue->counters; }

static uint32_t flags_of(uint64_t offloads) {
    if (likely((offloads & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)) == 0))
        return 0;
    const uint64_t ip = offloads & RTE_MBUF_F_RX_IP_CKSUM_MASK, transport = offloads & RTE_MBUF_F_RX_L4_CKSUM_MASK;
    uint32_t flags = 0;
    if (ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        flags |= CPD_PACKET_IP_CHECKSUM_GOOD;
    else if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD)
        flags |= CPD_PACKET_IP_CHECKSUM_BAD;
    if (transport == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        flags |= CPD_PACKET_TRANSPORT_CHECKSUM_GOOD;
    else if (transport == RTE_MBUF_F_RX_L4_CKSUM_BAD)
        flags |= CPD_PACKET_TRANSPORT_CHECKSUM_BAD;
    return flags;
}

static uint32_t receive_some(cpd_eth_queue *queue, cpd_packet **burst, uint16_t capacity, uint16_t *taken) {
    struct rte_mbuf *frames[BURST];
    const uint16_t received = rte_eth_rx_burst(queue->port, queue->index, frames, capacity);
    *taken = received;
    for (uint16_t i = 0; i < received && i < AHEAD; i++)
        rte_prefetch0(cpd_packet_of(frames[i]));

    uint32_t kept = 0;
    uint64_t bytes = 0;
    for (uint16_t i = 0; i < received; i++) {
        struct rte_mbuf *frame = frames[i];
        if (i + AHEAD < received)
            rte_prefetch0(cpd_packet_of(frames[i + AHEAD]));
        if (unlikely(frame->nb_segs != 1)) {
            queue->counters.rx_scattered++;
            rte_pktmbuf_free(frame);
            continue;
        }
        cpd_packet *packet = cpd_packet_of(frame);
        packet->offset = frame->data_off;
        packet->length = frame->data_len;
        packet->flags = flags_of(frame->ol_flags);
        rte_prefetch0(packet->start + packet->offset);
        bytes += packet->length;
        burst[kept++] = packet;
    }
    queue->counters.rx_packets += kept;
    queue->counters.rx_bytes += bytes;
    return kept;
}

uint32_t cpd_eth_receive(cpd_eth_queue *queue, cpd_packet **burst, uint32_t capacity) {
    uint32_t count = 0;
    while (count < capacity) {
        const uint16_t wanted = (uint16_t)RTE_MIN(capacity - count, (uint32_t)BURST);
        uint16_t taken;
        count += receive_some(queue, burst + count, wanted, &taken);
        if (taken < wanted)
            break;
    }
    return count;
}

uint32_t cpd_eth_transmit(cpd_eth_queue *queue, cpd_packet *const *burst, uint32_t count) {
    /* Packets of ordinary memory have zeros before them. */
    for (uint32_t i = 0; i < count; i++) {
        if (unlikely(cpd_mbuf_of(burst[i])->pool == NULL))
            return UINT32_MAX;
    }
    uint32_t done = 0;
    while (done < count) {
        struct rte_mbuf *frames[BURST];
        const uint16_t part = (uint16_t)RTE_MIN(count - done, (uint32_t)BURST);
        uint64_t lengths[BURST];
        for (uint16_t i = 0; i < part; i++) {
            const cpd_packet *packet = burst[done + i];
            struct rte_mbuf *frame = cpd_mbuf_of(packet);
            frame->data_off = (uint16_t)packet->offset;
            frame->data_len = (uint16_t)packet->length;
            frame->pkt_len = packet->length;
            frame->ol_flags = 0;
            lengths[i] = packet->length;
            frames[i] = frame;
        }
        /* What is taken may be freed, and filled again, before the call returns. */
        const uint16_t sent = rte_eth_tx_burst(queue->port, queue->index, frames, part);
        for (uint16_t i = 0; i < sent; i++)
            queue->counters.tx_bytes += lengths[i];
        queue->counters.tx_packets += sent;
        done += sent;
        if (sent < part) {
            queue->counters.tx_short++;
            break;
        }
    }
    return done;
}
