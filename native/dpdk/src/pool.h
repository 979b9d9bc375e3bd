/* From a packet to its mbuf and back. */
#ifndef CPD_POOL_H
#define CPD_POOL_H

#include "cryptoplane_dpdk.h"

#include <rte_mbuf.h>
#include <rte_mempool.h>

_Static_assert(sizeof(struct rte_mbuf) == 128, "PacketBuffer.ForeignHeaderSize");

/* The private area of an mbuf lies behind it. */
static inline cpd_packet *cpd_packet_of(void *mbuf) { return (cpd_packet *)((struct rte_mbuf *)mbuf + 1); }

static inline struct rte_mbuf *cpd_mbuf_of(const cpd_packet *packet) { return (struct rte_mbuf *)(uintptr_t)packet - 1; }

#endif
