/*
 * Packet pools: an rte_mempool of mbufs whose free list is the stack of a pool in C#, so that drivers fill and free the very buffers that
 * C# rents and returns. No cache and no ring in between: the stack is used by one thread, and the packet that was freed last, which is
 * still in the CPU's cache, is the next to be filled.
 */
#include "pool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

static int attach(struct rte_mempool *pool) {
    /* The stack came with rte_mempool_set_ops_byname. */
    pool->pool_data = pool->pool_config;
    return pool->pool_data == NULL ? -EINVAL : 0;
}

static void detach(struct rte_mempool *pool) { pool->pool_data = NULL; }

static int give_back(struct rte_mempool *pool, void *const *objects, unsigned count) {
    cpd_packet_stack *stack = pool->pool_data;
    if (count > stack->capacity - stack->count)
        return -ENOBUFS;
    for (unsigned i = 0; i < count; i++)
        stack->items[stack->count + i] = cpd_packet_of(objects[i]);
    stack->count += count;
    return 0;
}

static int take(struct rte_mempool *pool, void **objects, unsigned count) {
    cpd_packet_stack *stack = pool->pool_data;
    if (count > stack->count)
        return -ENOENT;
    for (unsigned i = 0; i < count; i++)
        objects[i] = cpd_mbuf_of(stack->items[--stack->count]);
    return 0;
}

static unsigned available(const struct rte_mempool *pool) {
    const cpd_packet_stack *stack = pool->pool_data;
    return stack->count;
}

static const struct rte_mempool_ops stack_ops = {
    .name = "cryptoplane_stack",
    .alloc = attach,
    .free = detach,
    .enqueue = give_back,
    .dequeue = take,
    .get_count = available,
};

RTE_MEMPOOL_REGISTER_OPS(stack_ops)

int32_t cpd_pool_create(cpd_packet_stack *stack, uint32_t buffer_size, int32_t socket, void **result) {
    static atomic_uint serial;
    *result = NULL;
    if (buffer_size > UINT16_MAX || buffer_size <= RTE_PKTMBUF_HEADROOM)
        return -EINVAL;
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "cpd_packets_%u", atomic_fetch_add(&serial, 1));
    struct rte_mempool *pool =
        rte_mempool_create_empty(name, stack->capacity, sizeof(struct rte_mbuf) + sizeof(cpd_packet) + buffer_size, 0,
                                 sizeof(struct rte_pktmbuf_pool_private), socket < 0 ? SOCKET_ID_ANY : socket, RTE_MEMPOOL_F_SP_PUT | RTE_MEMPOOL_F_SC_GET);
    if (pool == NULL)
        return rte_errno != 0 ? -rte_errno : -ENOMEM;

    struct rte_pktmbuf_pool_private sizes = {.mbuf_data_room_size = (uint16_t)buffer_size, .mbuf_priv_size = sizeof(cpd_packet)};
    int error = rte_mempool_set_ops_byname(pool, stack_ops.name, stack);
    if (error == 0) {
        rte_pktmbuf_pool_init(pool, &sizes);
        /* Every object goes through give_back on the way. */
        error = rte_mempool_populate_default(pool);
    }
    if (error < 0) {
        stack->count = 0;
        rte_mempool_free(pool);
        return error;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    *result = pool;
    return 0;
}

/* Packets are users' data. */
static void wipe_packet(struct rte_mempool *pool, void *argument, void *object, unsigned index) {
    (void)argument, (void)index;
    explicit_bzero((struct rte_mbuf *)object + 1, pool->elt_size - sizeof(struct rte_mbuf));
}

void cpd_pool_free(void *pool) {
    if (pool == NULL)
        return;
    (void)rte_mempool_obj_iter(pool, wipe_packet, NULL);
    rte_mempool_free(pool);
}
