/* Steering of received packets to queues (rte_flow), where the port can. */
#include "eth_port.h"

#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_flow.h>

/* Ethernet / IP / `last`, to a queue. */
static int32_t steer(const cpd_eth_port *port, uint32_t queue, uint8_t ip_version, struct rte_flow_item last) {
    if (queue >= port->queues || (ip_version != 4 && ip_version != 6))
        return -EINVAL;
    const struct rte_flow_attr attributes = {.ingress = 1};
    const struct rte_flow_item pattern[] = {
        {.type = RTE_FLOW_ITEM_TYPE_ETH},
        {.type = ip_version == 4 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6},
        last,
        {.type = RTE_FLOW_ITEM_TYPE_END},
    };
    const struct rte_flow_action_queue to = {.index = (uint16_t)queue};
    const struct rte_flow_action actions[] = {
        {.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to},
        {.type = RTE_FLOW_ACTION_TYPE_END},
    };
    struct rte_flow_error error;
    int refused = rte_flow_validate(port->number, &attributes, pattern, actions, &error);
    if (refused != 0)
        return refused < 0 ? refused : -refused;
    /* The rule goes with the port. */
    return rte_flow_create(port->number, &attributes, pattern, actions, &error) != NULL ? 0 : -ENOTSUP;
}

int32_t cpd_eth_steer_esp(cpd_eth_port *port, uint32_t queue, uint8_t ip_version, uint32_t spi, uint32_t spi_mask) {
    const struct rte_flow_item_esp value = {.hdr.spi = rte_cpu_to_be_32(spi)}, mask = {.hdr.spi = rte_cpu_to_be_32(spi_mask)};
    return steer(port, queue, ip_version, (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_ESP, .spec = &value, .mask = &mask});
}

int32_t cpd_eth_steer_udp(cpd_eth_port *port, uint32_t queue, uint8_t ip_version, uint16_t destination_port) {
    const struct rte_flow_item_udp value = {.hdr.dst_port = rte_cpu_to_be_16(destination_port)}, mask = {.hdr.dst_port = RTE_BE16(0xFFFF)};
    return steer(port, queue, ip_version, (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &value, .mask = &mask});
}
