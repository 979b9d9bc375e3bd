/* Outer headers, which librte_ipsec copies from a template and does not look at when it opens. */
#include "peer.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

static uint32_t address_length(const peer_sa *sa) { return sa->request.outer_ipv6 ? 16 : 4; }

static uint32_t address_offset(const peer_sa *sa) { return sa->request.outer_ipv6 ? 8 : 12; }

void peer_outer_template(peer_sa *sa) {
    const peer_sa_request *request = &sa->request;
    const uint8_t protocol = request->udp ? IPPROTO_UDP : IPPROTO_ESP;
    memset(sa->header, 0, sizeof sa->header);
    if (request->outer_ipv6) {
        sa->header[0] = 0x60;
        sa->header[6] = protocol;
        sa->header[7] = 64;
    } else {
        sa->header[0] = 0x45;
        sa->header[8] = 64;
        sa->header[9] = protocol;
    }
    memcpy(sa->header + address_offset(sa), request->source, address_length(sa));
    memcpy(sa->header + address_offset(sa) + address_length(sa), request->destination, address_length(sa));
    sa->ip_length = request->outer_ipv6 ? 40 : 20;
    sa->outer_length = sa->ip_length + (request->udp ? sizeof(struct rte_udp_hdr) : 0);
}

static int ip_is_sound(const peer_sa *sa, const uint8_t *packet, uint32_t length) {
    if (memcmp(packet + address_offset(sa), sa->header + address_offset(sa), 2 * address_length(sa)) != 0)
        return 0;
    if (sa->request.outer_ipv6) {
        const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)packet;
        return packet[0] >> 4 == 6 && ip->proto == sa->header[6] && rte_be_to_cpu_16(ip->payload_len) == length - sizeof *ip;
    }
    const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)packet;
    /* The checksum over a header that contains the right one is 0. */
    return packet[0] == 0x45 && ip->next_proto_id == sa->header[9] && rte_be_to_cpu_16(ip->total_length) == length && rte_ipv4_cksum(ip) == 0;
}

static int udp_is_sound(const peer_sa *sa, const uint8_t *packet, uint32_t length) {
    const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(packet + sa->ip_length);
    if (rte_be_to_cpu_16(udp->src_port) != sa->request.source_port || rte_be_to_cpu_16(udp->dst_port) != sa->request.destination_port ||
        rte_be_to_cpu_16(udp->dgram_len) != length - sa->ip_length)
        return 0;
    /* RFC 3948 §2.1: 0 over IPv4. RFC 8200 §8.1: never 0 over IPv6. */
    if (!sa->request.outer_ipv6)
        return udp->dgram_cksum == 0;
    return udp->dgram_cksum != 0 && rte_ipv6_udptcp_cksum_verify((const struct rte_ipv6_hdr *)packet, udp) == 0;
}

int peer_outer_is_sound(const peer_sa *sa, struct rte_mbuf *packet) {
    const uint8_t *data = rte_pktmbuf_mtod(packet, const uint8_t *);
    return packet->pkt_len >= sa->outer_length && ip_is_sound(sa, data, packet->pkt_len) &&
           (!sa->request.udp || udp_is_sound(sa, data, packet->pkt_len));
}

void peer_outer_finish(const peer_sa *sa, struct rte_mbuf *packet) {
    if (!sa->request.outer_ipv6) {
        struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod(packet, struct rte_ipv4_hdr *);
        ip->hdr_checksum = 0;
        ip->hdr_checksum = rte_ipv4_cksum(ip);
    } else if (sa->request.udp) {
        struct rte_udp_hdr *udp = rte_pktmbuf_mtod_offset(packet, struct rte_udp_hdr *, sa->ip_length);
        udp->dgram_cksum = 0;
        udp->dgram_cksum = rte_ipv6_udptcp_cksum(rte_pktmbuf_mtod(packet, const struct rte_ipv6_hdr *), udp);
    }
}
