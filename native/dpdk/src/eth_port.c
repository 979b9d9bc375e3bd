/* Ethernet ports: finding, describing, opening and closing them. */
#include "eth_port.h"
#include "pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

enum { ETHERNET_OVERHEAD = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 4 /* a VLAN tag */ };

int32_t cpd_eth_count(void) { return rte_eth_dev_count_avail(); }

int32_t cpd_eth_number(uint32_t index) {
    uint16_t number;
    RTE_ETH_FOREACH_DEV(number) {
        if (index-- == 0)
            return number;
    }
    return -ENODEV;
}

int32_t cpd_eth_find(const char *name) {
    uint16_t number;
    return rte_eth_dev_get_port_by_name(name, &number) == 0 ? number : -ENODEV;
}

int32_t cpd_eth_describe(int32_t number, cpd_eth_info *info) {
    memset(info, 0, sizeof *info);
    if (number < 0 || number >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port((uint16_t)number))
        return -ENODEV;
    struct rte_eth_dev_info dpdk;
    int error = rte_eth_dev_info_get((uint16_t)number, &dpdk);
    if (error != 0)
        return error;
    char name[RTE_ETH_NAME_MAX_LEN];
    struct rte_ether_addr mac;
    if (rte_eth_dev_get_name_by_port((uint16_t)number, name) != 0 || rte_eth_macaddr_get((uint16_t)number, &mac) != 0)
        return -ENODEV;
    snprintf(info->name, sizeof info->name, "%.*s", (int)sizeof info->name - 1, name);
    snprintf(info->driver, sizeof info->driver, "%s", dpdk.driver_name);
    memcpy(info->mac, mac.addr_bytes, sizeof info->mac);
    info->max_queues = RTE_MIN(dpdk.max_rx_queues, dpdk.max_tx_queues);
    info->socket = rte_eth_dev_socket_id((uint16_t)number);
    info->min_mtu = dpdk.min_mtu;
    info->max_mtu = dpdk.max_mtu;
    info->checks_ip = (dpdk.rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0;
    info->checks_transport = (dpdk.rx_offload_capa & RTE_ETH_RX_OFFLOAD_UDP_CKSUM) != 0;
    info->spreads = dpdk.flow_type_rss_offloads != 0;
    return 0;
}

/* What the driver can do of what helps. */
static struct rte_eth_conf configuration(const struct rte_eth_dev_info *info, const cpd_eth_options *options) {
    struct rte_eth_conf config = {0};
    config.rxmode.offloads = info->rx_offload_capa & (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
    if (options->queues > 1 && info->flow_type_rss_offloads != 0) {
        config.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        config.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_ESP);
    }
    if (options->mtu != 0)
        config.rxmode.mtu = options->mtu;
    /*
     * The EAL's own thread follows the link, and asking for it only reads what that thread wrote. Without this, to ask virtio_user's server
     * for its link accepts and drops peers on the asking thread while the EAL's does the same.
     */
    config.intr_conf.lsc = (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
    return config;
}

static int set_up_queues(uint16_t number, const struct rte_eth_dev_info *info, const cpd_eth_options *options, void *const *pools) {
    const int socket = rte_eth_dev_socket_id(number);
    uint16_t rx = (uint16_t)options->rx_descriptors, tx = (uint16_t)options->tx_descriptors;
    if (rx == 0)
        rx = info->default_rxportconf.ring_size != 0 ? info->default_rxportconf.ring_size : 1024;
    if (tx == 0)
        tx = info->default_txportconf.ring_size != 0 ? info->default_txportconf.ring_size : 1024;
    int error = rte_eth_dev_adjust_nb_rx_tx_desc(number, &rx, &tx);
    for (uint16_t i = 0; error == 0 && i < options->queues; i++) {
        error = rte_eth_rx_queue_setup(number, i, rx, (unsigned)socket, NULL, pools[i]);
        if (error == 0)
            error = rte_eth_tx_queue_setup(number, i, tx, (unsigned)socket, NULL);
    }
    return error;
}

static int start(uint16_t number, const cpd_eth_options *options, void *const *pools) {
    struct rte_eth_dev_info info;
    int error = rte_eth_dev_info_get(number, &info);
    if (error != 0)
        return error;
    const struct rte_eth_conf config = configuration(&info, options);
    error = rte_eth_dev_configure(number, (uint16_t)options->queues, (uint16_t)options->queues, &config);
    if (error == 0)
        error = set_up_queues(number, &info, options, pools);
    if (error == 0 && options->mtu != 0)
        error = rte_eth_dev_set_mtu(number, (uint16_t)options->mtu);
    /* Drivers that cannot change their MTU have one that the caller asks for by cpd_eth_describe. */
    if (error == -ENOTSUP)
        error = 0;

    uint16_t mtu = 0;
    if (error == 0)
        error = rte_eth_dev_get_mtu(number, &mtu);
    for (uint32_t i = 0; error == 0 && i < options->queues; i++) {
        if (rte_pktmbuf_data_room_size(pools[i]) < RTE_PKTMBUF_HEADROOM + mtu + ETHERNET_OVERHEAD)
            error = -EMSGSIZE;
    }
    if (error == 0)
        error = rte_eth_dev_start(number);
    if (error != 0)
        return error;
    if (options->promiscuous)
        (void)rte_eth_promiscuous_enable(number);
    if (options->all_multicast)
        (void)rte_eth_allmulticast_enable(number);
    return 0;
}

int32_t cpd_eth_open(int32_t number, const cpd_eth_options *options, void *const *pools, cpd_eth_port **result) {
    cpd_eth_info info;
    *result = NULL;
    int error = cpd_eth_describe(number, &info);
    if (error != 0)
        return error;
    if (options->queues == 0 || options->queues > info.max_queues || options->rx_descriptors > UINT16_MAX || options->tx_descriptors > UINT16_MAX ||
        options->mtu > UINT16_MAX)
        return -EINVAL;
    cpd_eth_port *port = calloc(1, sizeof *port);
    cpd_eth_queue *queues = rte_zmalloc("cpd_eth_queues", options->queues * sizeof *queues, RTE_CACHE_LINE_SIZE);
    if (port == NULL || queues == NULL) {
        free(port);
        rte_free(queues);
        return -ENOMEM;
    }
    *port = (cpd_eth_port){.number = (uint16_t)number, .queues = options->queues, .queue = queues};
    for (uint16_t i = 0; i < options->queues; i++) {
        queues[i].port = (uint16_t)number;
        queues[i].index = i;
    }
    error = start((uint16_t)number, options, pools);
    if (error != 0) {
        rte_free(queues);
        free(port);
        return error < 0 ? error : -error;
    }
    (void)rte_eth_stats_reset((uint16_t)number);
    *result = port;
    return 0;
}

int32_t cpd_eth_close(cpd_eth_port *port) {
    if (port == NULL)
        return 0;
    (void)rte_eth_dev_stop(port->number);
    int error = rte_eth_dev_close(port->number);
    rte_free(port->queue);
    free(port);
    return error < 0 ? error : 0;
}

cpd_eth_queue *cpd_eth_queue_of(cpd_eth_port *port, uint32_t index) { return index < port->queues ? port->queue + index : NULL; }

void cpd_eth_link_get(const cpd_eth_port *port, cpd_eth_link *link) {
    struct rte_eth_link dpdk = {0};
    memset(link, 0, sizeof *link);
    link->removed = rte_eth_dev_is_removed(port->number) != 0;
    if (link->removed || rte_eth_link_get_nowait(port->number, &dpdk) != 0)
        return;
    link->up = dpdk.link_status == RTE_ETH_LINK_UP;
    link->full_duplex = dpdk.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
    link->megabits = dpdk.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : dpdk.link_speed;
}

int32_t cpd_eth_counters_get(const cpd_eth_port *port, cpd_eth_counters *counters) {
    struct rte_eth_stats stats;
    memset(counters, 0, sizeof *counters);
    int error = rte_eth_stats_get(port->number, &stats);
    if (error != 0)
        return error;
    *counters = (cpd_eth_counters){
        .rx_packets = stats.ipackets,
        .tx_packets = stats.opackets,
        .rx_bytes = stats.ibytes,
        .tx_bytes = stats.obytes,
        .rx_missed = stats.imissed,
        .rx_errors = stats.ierrors,
        .tx_errors = stats.oerrors,
        .rx_no_buffer = stats.rx_nombuf,
    };
    return 0;
}
