/*
 * The tiers aesni and aesni512: one block per vector. The same source is compiled twice, for AVX2 with 16 registers, and for AVX-512VL with
 * 32 of them, XOR of three operands and masks (Skylake and Cascade Lake servers, which have no VAES).
 */
#include "../../chacha20_poly1305/chacha20_poly1305.h"
#include "../../cpu.h"
#include "../../plan.h"
#include "../../wipe.h"
#include "../tiers.h"
#include "long.h"
#include "small.h"

/* Behind the kernels for 0 to 8 blocks. */
enum { LONG = 9 };

#define KERNELS_OF(what)                                                                                                               \
    {                                                                                                                                  \
        what##_0, what##_1, what##_2, what##_3, what##_4, what##_5, what##_6, what##_7, what##_8, what##_long                          \
    }
#define KERNELS_ALONE(what)                                                                                                            \
    {                                                                                                                                  \
        what##_0_alone, what##_1_alone, what##_2_alone, what##_3_alone, what##_4_alone, what##_5_alone, what##_6_alone,                \
            what##_7_alone, what##_8_alone, what##_long                                                                                \
    }
#define CLASSES {0, 1, 2, 3, 4, 5, 6, 7, 8, [LONG... CP_CLASS_LONG] = LONG}
#ifdef __AVX512VL__
#define CHACHA {cp_chacha20_poly1305_seal_avx512, cp_chacha20_poly1305_open_avx512}
#else
#define CHACHA {cp_chacha20_poly1305_seal_avx2, cp_chacha20_poly1305_open_avx2}
#endif

static const cp_kernels kernels = {
    .kernel_of_class = CLASSES,
    .gcm = {{KERNELS_OF(seal_128), KERNELS_OF(seal_256)}, {KERNELS_OF(open_128), KERNELS_OF(open_256)}},
    .chacha20_poly1305 = CHACHA,
    .fetch_keys = 1,
};

static const cp_kernels kernels_alone = {
    .kernel_of_class = CLASSES,
    .gcm = {{KERNELS_ALONE(seal_128), KERNELS_ALONE(seal_256)}, {KERNELS_ALONE(open_128), KERNELS_ALONE(open_256)}},
    .chacha20_poly1305 = CHACHA,
    .fetch_keys = 1,
};

enum {
    /* The largest frames of the kernels, for several messages and for one. The compiler checks the first (CMakeLists.txt). */
    FRAME = 2048,
    FRAME_ALONE = 768,
};

/* The stack that planning and kernels used. The compiler cannot know that nobody reads it. */
#pragma GCC diagnostic ignored "-Wstack-usage="
static __attribute__((noinline)) void wipe_stack(void) {
    unsigned char below[CP_PLAN_STACK + FRAME];
    memset(below, 0, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory");
}

static __attribute__((noinline)) void wipe_stack_alone(void) {
    unsigned char below[FRAME_ALONE];
    memset(below, 0, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory");
}

static inline void wipe_registers(void) {
    _mm256_zeroall();
#ifdef __AVX512VL__
    /* VZEROALL leaves registers 16 to 31 alone. Writing 128 bits clears the rest; 512-bit instructions would slow this class of CPU down. */
    __asm__ volatile(".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
                     "vpxord %%xmm\\n, %%xmm\\n, %%xmm\\n\n\t"
                     ".endr"
                     :
                     :
                     : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28",
                       "xmm29", "xmm30", "xmm31");
#endif
    cp_wipe_general_registers();
}

static void run(cp_aead_operation *operations, size_t count) {
    if (count == 1) {
        cp_plan_and_run(&kernels_alone, operations, 1);
        wipe_stack_alone();
    } else {
        cp_plan_and_run(&kernels, operations, count);
        wipe_stack();
    }
    wipe_registers();
}

#ifdef __AVX512VL__
const cp_aead_tier cp_tier_aesni512 = {
    .name = "aesni512",
    .instructions = "AES-NI, PCLMULQDQ, BMI2 and AVX-512 F, BW, DQ and VL",
    .is_supported = cp_cpu_has_avx512_aes,
    .run = run,
};
#else
const cp_aead_tier cp_tier_aesni = {
    .name = "aesni",
    .instructions = "AES-NI, PCLMULQDQ, AVX2 and BMI2",
    .is_supported = cp_cpu_has_avx2_aes,
    .run = run,
};
#endif
