/* Packets through librte_ipsec and a crypto device, as an application on DPDK takes them. */
#include "peer.h"

#include <stdlib.h>

#include <rte_cryptodev.h>

/* librte_ipsec moves what it refuses behind the rest, so every packet knows its place in the request. */
static uint16_t *place_of(struct rte_mbuf *packet) { return rte_mbuf_to_priv(packet); }

static void mark(struct rte_mbuf *const packets[], uint8_t outcome[], uint16_t from, uint16_t to, uint8_t what) {
    for (uint16_t i = from; i < to; i++) {
        if (outcome[*place_of(packets[i])] == OUTCOME_DONE)
            outcome[*place_of(packets[i])] = what;
    }
}

/* The operations of `count` packets through the device and back, which may give them back in another order. */
static void run_device(uint8_t device, struct rte_crypto_op *ops[], uint16_t count) {
    struct rte_crypto_op *done[PEER_MAX_PACKETS];
    for (uint16_t sent = 0, got = 0; got < count;) {
        sent += rte_cryptodev_enqueue_burst(device, 0, ops + sent, (uint16_t)(count - sent));
        got += rte_cryptodev_dequeue_burst(device, 0, done, PEER_MAX_PACKETS);
    }
}

static void run(peer_sa *sa, struct rte_mbuf *burst[], struct rte_crypto_op *ops[], uint8_t outcome[], uint16_t prepared) {
    struct rte_ipsec_group groups[PEER_MAX_PACKETS];
    run_device(sa->request.device, ops, prepared);
    for (uint16_t i = 0; i < prepared; i++) {
        if (ops[i]->status != RTE_CRYPTO_OP_STATUS_SUCCESS)
            outcome[*place_of(ops[i]->sym->m_src)] = OUTCOME_CRYPTO;
    }
    /* All of them have one session, so there is one group; the function marks the packets at which the device failed. */
    if (rte_ipsec_pkt_crypto_group((const struct rte_crypto_op **)(uintptr_t)ops, burst, groups, prepared) != 1 || groups[0].cnt != prepared)
        abort();
    uint16_t processed = rte_ipsec_pkt_process(groups[0].id.ptr, burst, prepared);
    mark(burst, outcome, processed, prepared, OUTCOME_PROCESS);
    for (uint16_t i = 0; i < processed && !sa->request.opens; i++)
        peer_outer_finish(sa, burst[i]);
}

void peer_process(peer_sa *sa, struct rte_mbuf *const packets[], uint8_t outcome[], uint16_t count) {
    struct rte_mbuf *burst[PEER_MAX_PACKETS];
    struct rte_crypto_op *ops[PEER_MAX_PACKETS];
    uint16_t sound = 0;
    for (uint16_t i = 0; i < count; i++) {
        *place_of(packets[i]) = i;
        packets[i]->l2_len = 0;
        packets[i]->l3_len = sa->request.opens ? sa->outer_length : 0;
        outcome[i] = !sa->request.opens || peer_outer_is_sound(sa, packets[i]) ? OUTCOME_DONE : OUTCOME_OUTER_HEADER;
        if (outcome[i] == OUTCOME_DONE)
            burst[sound++] = packets[i];
    }
    if (sound == 0)
        return;
    if (rte_crypto_op_bulk_alloc(peer_operations, RTE_CRYPTO_OP_TYPE_SYMMETRIC, ops, sound) != sound)
        abort(); /* The pool has as many as a request has packets. */
    uint16_t prepared = rte_ipsec_pkt_crypto_prepare(&sa->session, burst, ops, sound);
    mark(burst, outcome, prepared, sound, OUTCOME_PREPARE);
    if (prepared != 0)
        run(sa, burst, ops, outcome, prepared);
    rte_mempool_put_bulk(peer_operations, (void **)ops, sound);
}
