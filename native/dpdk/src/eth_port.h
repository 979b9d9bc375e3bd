/* What eth_port.c, eth_queue.c and eth_steer.c share. */
#ifndef CPD_ETH_PORT_H
#define CPD_ETH_PORT_H

#include "cryptoplane_dpdk.h"

#include <rte_common.h>
#include <rte_ethdev.h>

struct cpd_eth_queue {
    uint16_t port, index;
    cpd_eth_queue_counters counters;
} __rte_cache_aligned;

struct cpd_eth_port {
    uint16_t number;
    uint32_t queues;
    cpd_eth_queue *queue; /* so many */
};

#endif
