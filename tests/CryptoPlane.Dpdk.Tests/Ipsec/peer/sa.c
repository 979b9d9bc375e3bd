/* SAs of librte_ipsec, each with a session of a crypto device that does the cryptography alone ("lookaside none"). */
#include "peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_cryptodev.h>
#include <rte_malloc.h>

enum { NONCE = 12, ICV = 16, AAD = 8, AAD_WITH_ESN = 12 };

static struct rte_crypto_sym_xform transform_of(const peer_sa_request *request) {
    return (struct rte_crypto_sym_xform){
        .type = RTE_CRYPTO_SYM_XFORM_AEAD,
        .aead = {
            .op = request->opens ? RTE_CRYPTO_AEAD_OP_DECRYPT : RTE_CRYPTO_AEAD_OP_ENCRYPT,
            .algo = request->chacha20_poly1305 ? RTE_CRYPTO_AEAD_CHACHA20_POLY1305 : RTE_CRYPTO_AEAD_AES_GCM,
            .key = {.data = request->key, .length = request->key_length},
            .iv = {.offset = sizeof(struct rte_crypto_op) + sizeof(struct rte_crypto_sym_op), .length = NONCE},
            .digest_length = ICV,
            .aad_length = request->esn ? AAD_WITH_ESN : AAD,
        },
    };
}

/* An SA that opens is not told of UDP, which librte_ipsec neither looks at nor has a case for: peer_outer_is_sound does, and l3_len spans it. */
static struct rte_ipsec_sa_prm parameters_of(const peer_sa *sa, struct rte_crypto_sym_xform *transform) {
    const peer_sa_request *request = &sa->request;
    struct rte_ipsec_sa_prm parameters = {
        .ipsec_xform = {
            .spi = request->spi,
            .direction = request->opens ? RTE_SECURITY_IPSEC_SA_DIR_INGRESS : RTE_SECURITY_IPSEC_SA_DIR_EGRESS,
            .proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP,
            .mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL,
            .tunnel.type = request->outer_ipv6 ? RTE_SECURITY_IPSEC_TUNNEL_IPV6 : RTE_SECURITY_IPSEC_TUNNEL_IPV4,
            .options = {.esn = request->esn != 0, .udp_encap = request->udp && !request->opens},
            .replay_win_sz = request->opens ? request->replay_window : 0,
            .esn.value = request->sequence,
            .udp = {.sport = request->source_port, .dport = request->destination_port},
        },
        .crypto_xform = transform,
        .tun = {
            .hdr_len = (uint8_t)sa->ip_length,
            .next_proto = request->inner_ipv6 ? IPPROTO_IPV6 : IPPROTO_IPIP,
            .hdr = sa->header,
        },
    };
    memcpy(&parameters.ipsec_xform.salt, request->salt, sizeof request->salt);
    return parameters;
}

static int make_sa(peer_sa *sa, struct rte_crypto_sym_xform *transform) {
    struct rte_ipsec_sa_prm parameters = parameters_of(sa, transform);
    int size = rte_ipsec_sa_size(&parameters);
    if (size < 0)
        return size;
    sa->session.sa = rte_zmalloc("peer_ipsec_sa", (size_t)size, RTE_CACHE_LINE_SIZE);
    if (sa->session.sa == NULL)
        return -ENOMEM;
    int initialised = rte_ipsec_sa_init(sa->session.sa, &parameters, (uint32_t)size);
    return initialised < 0 ? initialised : 0;
}

peer_sa *peer_sa_create(const peer_sa_request *request, struct rte_mempool *sessions) {
    peer_sa *sa = rte_zmalloc("peer_sa", sizeof *sa, RTE_CACHE_LINE_SIZE);
    if (sa == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    sa->request = *request;
    peer_outer_template(sa);
    struct rte_crypto_sym_xform transform = transform_of(&sa->request);
    int error = make_sa(sa, &transform);
    if (error == 0) {
        sa->session.type = RTE_SECURITY_ACTION_TYPE_NONE;
        sa->session.crypto.dev_id = request->device;
        sa->session.crypto.ses = rte_cryptodev_sym_session_create(request->device, &transform, sessions);
        error = sa->session.crypto.ses == NULL ? -ENOTSUP : rte_ipsec_session_prepare(&sa->session);
    }
    if (error != 0) {
        peer_sa_free(sa);
        errno = -error;
        return NULL;
    }
    return sa;
}

void peer_sa_free(peer_sa *sa) {
    if (sa->session.crypto.ses != NULL)
        rte_cryptodev_sym_session_free(sa->request.device, sa->session.crypto.ses);
    rte_free(sa->session.sa);
    rte_free(sa);
}
