/* The tier for CPUs with VAES and VPCLMULQDQ but without AVX-512: two blocks per vector, 16 vectors. */
#include "../../chacha20_poly1305/chacha20_poly1305.h"
#include "../../cpu.h"
#include "../../plan.h"
#include "../../wipe.h"
#include "../tiers.h"
#include "long.h"

/* Kernels for 0 to 16 blocks, and behind them the one for all else. */
#define KERNELS(name)                                                                                                                      \
    { name##_0, name##_1, name##_2, name##_3, name##_4, name##_5, name##_6, name##_7, name##_8, name##_9, name##_10, name##_11,             \
      name##_12, name##_13, name##_14, name##_15, name##_16, name##_long }
enum { LONG = END_BLOCKS + 1 };

static const cp_kernels kernels = {
    .kernel_of_class = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, [LONG... CP_CLASS_LONG] = LONG},
    .gcm = {{KERNELS(seal_128), KERNELS(seal_256)}, {KERNELS(open_128), KERNELS(open_256)}},
    .chacha20_poly1305 = {cp_chacha20_poly1305_seal_avx2, cp_chacha20_poly1305_open_avx2},
};

/* The stack that planning and kernels used. CMakeLists.txt has the compiler check the frames of the kernels. */
enum { STACK = CP_PLAN_STACK + 2048 };

#pragma GCC diagnostic ignored "-Wstack-usage="
static __attribute__((noinline)) void wipe_stack(void) {
    unsigned char below[STACK];
    memset(below, 0, sizeof below);
    /* The compiler cannot know that nobody reads it. */
    __asm__ volatile("" : : "r"(below) : "memory");
}

static void run(cp_aead_operation *operations, size_t count) {
    cp_plan_and_run(&kernels, operations, count);
    wipe_stack();
    _mm256_zeroall();
    cp_wipe_general_registers();
}

const cp_aead_tier cp_tier_vaes256 = {
    .name = "vaes256",
    .instructions = "VAES, VPCLMULQDQ, AVX2 and BMI2",
    .is_supported = cp_cpu_has_vaes256,
    .run = run,
};
