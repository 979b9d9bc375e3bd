/*
 * Queue pairs: from descriptors to rte_crypto_ops and back.
 *
 * Every operation in flight has a slot: a crypto op, room for its nonce and AAD, and two mbufs that describe the caller's own buffers, so
 * that no byte of a packet is copied. Free slots are a stack, so that a short queue stays in the cache however deep the queue pair is; a
 * ring keeps the order of submission, in which operations are given back.
 */
#include "cryptodev.h"

#include <errno.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

enum { BATCH = 64 };

/* All but the mbufs is in two cache lines: a burst of slots, descriptors and packets has to share the first-level cache. */
typedef struct {
    struct rte_crypto_op op; /* first: a completed op is its slot */
    struct rte_crypto_sym_op symmetric;
    cp_aead_operation *operation;
    uint8_t nonce[CP_AEAD_NONCE_SIZE];
    uint32_t done;
    uint8_t aad[CP_AEAD_INLINE_AAD]; /* longer AAD is in the queue pair's long_aad */
    struct rte_mbuf source, destination;
} __rte_cache_aligned slot;

_Static_assert(offsetof(slot, symmetric) == sizeof(struct rte_crypto_op), "the symmetric part follows its op");

typedef uint8_t long_aad[CPD_MAX_AAD];

struct cpd_queue_pair {
    cpd_cryptodev *device;
    uint16_t index;
    uint8_t iova_is_va;
    uint8_t abandoned;
    uint8_t id; /* of the device */
    uint8_t out_of_place;
    uint16_t aad_max;
    uint32_t mask;
    uint32_t head, tail; /* of the order: counts of what was given back and of what was taken */
    uint32_t free_count;
    uint32_t others; /* operations that are done without success and have not been given back */
    slot **order;   /* by count of submission, modulo the depth */
    slot **free;    /* the stack of free slots */
    slot *slots;
    long_aad *aads; /* by slot */
};

/* With IOVAs that are physical the buffer must be physically contiguous: memory of the EAL's heap on huge pages, within one page. */
static inline rte_iova_t iova_of(const cpd_queue_pair *queue, const void *address) {
    return queue->iova_is_va ? (rte_iova_t)(uintptr_t)address : rte_mem_virt2iova(address);
}

static inline void use_inline_aad(slot *s) {
    s->symmetric.aead.aad.data = s->aad;
    s->symmetric.aead.aad.phys_addr = s->op.phys_addr + offsetof(slot, aad);
}

int32_t cpd_queue_pair_open(cpd_cryptodev *device, uint32_t index, cpd_queue_pair **result) {
    *result = NULL;
    if (index >= device->queue_pairs)
        return -EINVAL;
    const int socket = device->socket;
    const size_t depth = device->depth;
    cpd_queue_pair *queue = rte_zmalloc_socket("cpd_queue_pair", sizeof *queue, RTE_CACHE_LINE_SIZE, socket);
    if (queue == NULL)
        return -ENOMEM;
    queue->order = rte_zmalloc_socket("cpd_order", depth * sizeof(slot *), RTE_CACHE_LINE_SIZE, socket);
    queue->free = rte_zmalloc_socket("cpd_free", depth * sizeof(slot *), RTE_CACHE_LINE_SIZE, socket);
    queue->slots = rte_zmalloc_socket("cpd_slots", depth * sizeof(slot), RTE_CACHE_LINE_SIZE, socket);
    queue->aads = rte_zmalloc_socket("cpd_aads", depth * sizeof(long_aad), RTE_CACHE_LINE_SIZE, socket);
    if (queue->order == NULL || queue->free == NULL || queue->slots == NULL || queue->aads == NULL) {
        cpd_queue_pair_close(queue);
        return -ENOMEM;
    }
    queue->device = device;
    queue->index = (uint16_t)index;
    queue->iova_is_va = rte_eal_iova_mode() == RTE_IOVA_VA;
    queue->id = device->id;
    queue->out_of_place = device->info.out_of_place;
    queue->aad_max = RTE_MIN(device->info.aad_max, (uint16_t)CPD_MAX_AAD);
    queue->mask = device->depth - 1;
    for (uint32_t i = 0; i < device->depth; i++) {
        slot *s = &queue->slots[i];
        s->op.type = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
        s->op.sess_type = RTE_CRYPTO_OP_WITH_SESSION;
        s->op.phys_addr = iova_of(queue, s);
        /* What is the same for every operation; no driver writes there. */
        s->symmetric.m_src = &s->source;
        use_inline_aad(s);
        s->source.nb_segs = s->destination.nb_segs = 1;
        s->source.refcnt = s->destination.refcnt = 1;
        queue->free[queue->free_count++] = s;
    }
    *result = queue;
    return 0;
}

void cpd_queue_pair_close(cpd_queue_pair *queue) {
    rte_free(queue->aads);
    rte_free(queue->slots);
    rte_free(queue->free);
    rte_free(queue->order);
    rte_free(queue);
}

static inline void describe(const cpd_queue_pair *queue, struct rte_mbuf *mbuf, const uint8_t *data, uint32_t length) {
    mbuf->buf_addr = (void *)(uintptr_t)data;
    rte_mbuf_iova_set(mbuf, iova_of(queue, data));
    mbuf->buf_len = (uint16_t)(length + CP_AEAD_TAG_SIZE);
    mbuf->data_len = (uint16_t)length;
    mbuf->pkt_len = length;
}

static inline int fits(const cpd_queue_pair *queue, const cp_aead_operation *operation) {
    /* Not every driver takes an operation without data. */
    return operation->length - 1 < CPD_MAX_LENGTH && operation->aad_length <= queue->aad_max &&
           (queue->out_of_place || operation->source == operation->destination);
}

/* QuickAssist reads AAD in whole blocks of 16, so zeros follow it. */
static inline void copy_inline_aad(uint8_t *to, const cp_aead_operation *operation) {
    static const uint8_t ones_then_zeros[2 * CP_AEAD_INLINE_AAD] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint64_t aad[2], mask[2];
    memcpy(aad, operation->inline_aad, sizeof aad);
    memcpy(mask, ones_then_zeros + CP_AEAD_INLINE_AAD - operation->aad_length, sizeof mask);
    aad[0] &= mask[0];
    aad[1] &= mask[1];
    memcpy(to, aad, sizeof aad);
}

static inline void set_aad(cpd_queue_pair *queue, slot *s, const cp_aead_operation *operation) {
    if (likely(operation->aad_length <= CP_AEAD_INLINE_AAD)) {
        copy_inline_aad(s->aad, operation);
        if (unlikely(s->symmetric.aead.aad.data != s->aad))
            use_inline_aad(s);
        return;
    }
    uint8_t *aad = queue->aads[s - queue->slots];
    memcpy(aad, operation->aad, operation->aad_length);
    memset(aad + operation->aad_length, 0, -operation->aad_length & 15u);
    s->symmetric.aead.aad.data = aad;
    s->symmetric.aead.aad.phys_addr = iova_of(queue, aad);
}

static inline void end_otherwise(cpd_queue_pair *queue, slot *s) {
    s->done = 1;
    queue->others++;
}

static void end_with_zeros(cpd_queue_pair *queue, slot *s, uint8_t status) {
    cp_aead_operation *operation = s->operation;
    explicit_bzero(operation->destination, operation->length + (operation->direction == CP_AEAD_SEAL ? CP_AEAD_TAG_SIZE : 0));
    operation->status = status;
    end_otherwise(queue, s);
}

/* The session that the operation before had: packets of one tunnel come in a row. */
typedef struct {
    const cp_aead_key *key;
    void *session;
    uint32_t use; /* direction and length of AAD */
} last_session;

static inline void *session_of(cpd_queue_pair *queue, const cp_aead_operation *operation, last_session *last) {
    const uint32_t use = (uint32_t)operation->direction << 16 | operation->aad_length;
    if (operation->key != last->key || use != last->use) {
        last->key = operation->key;
        last->use = use;
        last->session = cpd_session_of(queue->device, operation, offsetof(slot, nonce));
    }
    return last->session;
}

/* Fills a slot. Returns its op, or NULL where the device cannot do the operation: the slot is then done, its status pending. */
static inline struct rte_crypto_op *prepare(cpd_queue_pair *queue, slot *s, cp_aead_operation *operation, last_session *last) {
    s->operation = operation;
    if (unlikely(queue->abandoned)) {
        end_with_zeros(queue, s, CPD_STATUS_DEVICE_ERROR);
        return NULL;
    }
    s->done = 0;
    operation->status = CP_AEAD_PENDING;
    void *session = likely(fits(queue, operation)) ? session_of(queue, operation, last) : NULL;
    if (unlikely(session == NULL)) {
        end_otherwise(queue, s);
        return NULL;
    }
    memcpy(s->nonce, operation->nonce, CP_AEAD_NONCE_SIZE);
    set_aad(queue, s, operation);
    s->op.status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
    s->symmetric.session = session;
    describe(queue, &s->source, operation->source, operation->length);
    s->symmetric.m_dst = NULL;
    if (operation->source != operation->destination) {
        describe(queue, &s->destination, operation->destination, operation->length);
        s->symmetric.m_dst = &s->destination;
    }
    const uint8_t *tag = (operation->direction == CP_AEAD_SEAL ? operation->destination : operation->source) + operation->length;
    s->symmetric.aead.data.length = operation->length;
    s->symmetric.aead.digest.data = (uint8_t *)(uintptr_t)tag;
    s->symmetric.aead.digest.phys_addr = iova_of(queue, tag);
    return &s->op;
}

/* Takes back the slots of an operation and of those behind it. Returns how many they were. */
static uint32_t take_back_from(cpd_queue_pair *queue, const slot *oldest) {
    const uint32_t tail = queue->tail;
    slot *s;
    do {
        s = queue->order[--queue->tail & queue->mask];
        queue->others -= s->done;
        queue->free[queue->free_count++] = s;
    } while (s != oldest);
    return tail - queue->tail;
}

uint32_t cpd_queue_pair_submit(cpd_queue_pair *queue, cp_aead_operation *operations, uint32_t count) {
    uint32_t wanted = count < queue->free_count ? count : queue->free_count, taken = 0;
    last_session last = {0};
    while (taken < wanted) {
        struct rte_crypto_op *ops[BATCH];
        uint32_t batch = wanted - taken < BATCH ? wanted - taken : BATCH, prepared = 0;
        for (uint32_t i = 0; i < batch; i++) {
            slot *s = queue->free[--queue->free_count];
            queue->order[queue->tail++ & queue->mask] = s;
            ops[prepared] = prepare(queue, s, operations + taken + i, &last);
            prepared += ops[prepared] != NULL;
        }
        uint32_t sent = prepared == 0 ? 0 : rte_cryptodev_enqueue_burst(queue->id, queue->index, ops, (uint16_t)prepared);
        if (sent < prepared) {
            /* The device is full: what it refused, and all behind it, was not taken. */
            return taken + batch - take_back_from(queue, (slot *)ops[sent]);
        }
        taken += batch;
    }
    return taken;
}

/* The driver may have decrypted before it compared the tag, and left the plaintext there. */
static inline void complete(cpd_queue_pair *queue, slot *s) {
    if (likely(s->op.status == RTE_CRYPTO_OP_STATUS_SUCCESS)) {
        s->operation->status = CP_AEAD_SUCCESS;
        s->done = 1;
        return;
    }
    int forged = s->operation->direction == CP_AEAD_OPEN && s->op.status == RTE_CRYPTO_OP_STATUS_AUTH_FAILED;
    end_with_zeros(queue, s, forged ? CP_AEAD_AUTHENTICATION_FAILED : CPD_STATUS_DEVICE_ERROR);
}

void cpd_queue_pair_abandon(cpd_queue_pair *queue) {
    queue->abandoned = 1;
    for (uint32_t i = queue->head; i != queue->tail; i++) {
        slot *s = queue->order[i & queue->mask];
        if (!s->done)
            end_with_zeros(queue, s, CPD_STATUS_DEVICE_ERROR);
    }
}

/* Gives back the oldest operations that are done. */
static inline uint32_t give_back(cpd_queue_pair *queue, cp_aead_operation **completed, uint32_t capacity) {
    uint32_t count = 0;
    while (count < capacity && queue->head != queue->tail) {
        slot *oldest = queue->order[queue->head & queue->mask];
        if (!oldest->done)
            break;
        completed[count++] = oldest->operation;
        queue->free[queue->free_count++] = oldest;
        queue->head++;
    }
    return count;
}

uint32_t cpd_queue_pair_poll(cpd_queue_pair *queue, cp_aead_operation **completed, uint32_t capacity, uint32_t *others) {
    struct rte_crypto_op *ops[BATCH];
    uint16_t dequeued;
    do {
        dequeued = queue->head == queue->tail || queue->abandoned ? 0 : rte_cryptodev_dequeue_burst(queue->id, queue->index, ops, BATCH);
        for (uint16_t i = 0; i < dequeued; i++)
            complete(queue, (slot *)ops[i]);
    } while (dequeued == BATCH);
    uint32_t count = give_back(queue, completed, capacity);
    *others = 0;
    if (unlikely(queue->others != 0)) {
        for (uint32_t i = 0; i < count; i++)
            *others += completed[i]->status != CP_AEAD_SUCCESS;
        queue->others -= *others;
    }
    return count;
}
