/* The tier for CPUs with VAES, VPCLMULQDQ and AVX-512: which kernel takes what, and wiping. */
#include "../../chacha20_poly1305/chacha20_poly1305.h"
#include "../../cpu.h"
#include "../../wipe.h"
#include "../tiers.h"
#include "kernels.h"
#include "stack.h"

/* Kernels by the groups of a packet; 0 is for everything else. */
#define LARGE 0
#define ROW(name)                                                                                                                          \
    { name##_large, name##_1, name##_2, name##_3, name##_4, name##_5, name##_6, name##_7, name##_8 }

static const cp_kernels kernels = {
    /* Blocks of data, and the two more that a packet has, in groups of four; 31, 32 and CP_CLASS_LONG are large. */
    .kernel_of_class = {1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 8, LARGE, LARGE, LARGE},
    .gcm = {{ROW(cp_vaes512_seal_128), ROW(cp_vaes512_seal_256)}, {ROW(cp_vaes512_open_128), ROW(cp_vaes512_open_256)}},
    .chacha20_poly1305 = {cp_chacha20_poly1305_seal_avx512, cp_chacha20_poly1305_open_avx512},
};

/*
 * At most, of a kernel: its frame as CMakeLists.txt limits it (448 bytes in small.c, 1792 in large.c), what was pushed to get there, and
 * the 128 bytes below the stack pointer that a function may use without a frame.
 */
enum {
    SMALL_FRAME = 640,
    LARGE_FRAME = 1984,
    SPREAD_FRAME = 1984, /* below LARGE_FRAME */
};

CP_INLINE void wipe(unsigned char *below, size_t size) {
    for (size_t i = 0; i < size; i += 64)
        _mm512_store_si512(below + i, _mm512_setzero_si512());
    /* The compiler cannot know that nobody reads it. */
    __asm__ volatile("" : : "r"(below) : "memory");
}

/* What the small kernels may have left, under the frames of planning. */
static __attribute__((noinline)) void wipe_small_frames(void) {
    unsigned char below[CP_PLAN_STACK + SMALL_FRAME] __attribute__((aligned(64)));
    wipe(below, sizeof below);
}

void __attribute__((noinline)) cp_vaes512_wipe_large_frame(void) {
    unsigned char below[LARGE_FRAME] __attribute__((aligned(64)));
    wipe(below, sizeof below);
}

void __attribute__((noinline)) cp_vaes512_wipe_spread_frame(void) {
    unsigned char below[LARGE_FRAME + SPREAD_FRAME] __attribute__((aligned(64)));
    wipe(below, sizeof below);
}

/* Clearing the low 128 bits clears the rest of a register with them. */
CP_INLINE void wipe_registers(void) {
    __asm__ volatile(".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
                     "vpxord %%xmm\\n, %%xmm\\n, %%xmm\\n\n\t"
                     ".endr\n\t"
                     "vzeroall"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",
                       "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
}

static void run(cp_aead_operation *operations, size_t count) {
    cp_plan_and_run(&kernels, operations, count);
    if (count > 1) /* one small packet has its secrets in registers only, and large.c wipes its frames itself */
        wipe_small_frames();
    wipe_registers();
    cp_wipe_general_registers();
}

const cp_aead_tier cp_tier_vaes512 = {
    .name = "vaes512",
    .instructions = "VAES, VPCLMULQDQ, AVX-512 (F, BW, DQ, VL) and BMI2",
    .is_supported = cp_cpu_has_vaes512,
    .run = run,
};
