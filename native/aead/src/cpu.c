#include "cpu.h"

#include <cpuid.h>
#include <stdint.h>

typedef struct {
    uint32_t leaf1_ecx, leaf7_ebx, leaf7_ecx;
    uint64_t xcr0; /* the register states that the operating system saves */
} features;

enum {
    LEAF1_PCLMULQDQ = 1 << 1,
    LEAF1_SSSE3 = 1 << 9,
    LEAF1_SSE41 = 1 << 19,
    LEAF1_AES = 1 << 25,
    LEAF1_OSXSAVE = 1 << 27,
    LEAF7_EBX_AVX2 = 1 << 5,
    LEAF7_EBX_BMI2 = 1 << 8,
    LEAF7_EBX_AVX512F = 1 << 16,
    LEAF7_EBX_AVX512DQ = 1 << 17,
    LEAF7_EBX_AVX512BW = 1 << 30,
    LEAF7_ECX_VAES = 1 << 9,
    LEAF7_ECX_VPCLMULQDQ = 1 << 10,
    XCR0_AVX = 0x06,    /* XMM and YMM */
    XCR0_AVX512 = 0xE6, /* and opmasks, upper halves of ZMM 0 to 15, ZMM 16 to 31 */
};
#define LEAF7_EBX_AVX512VL (1u << 31)

static features read_features(void) {
    features f = {0};
    uint32_t eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        return f;
    f.leaf1_ecx = ecx;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        f.leaf7_ebx = ebx;
        f.leaf7_ecx = ecx;
    }
    if (f.leaf1_ecx & LEAF1_OSXSAVE) {
        uint32_t low, high;
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        f.xcr0 = (uint64_t)high << 32 | low;
    }
    return f;
}

static int has(uint64_t have, uint64_t need) { return (have & need) == need; }

static int has_aes(const features *f) { return has(f->leaf1_ecx, LEAF1_AES | LEAF1_PCLMULQDQ | LEAF1_SSSE3 | LEAF1_SSE41); }

static int has_avx2_aes(const features *f) {
    return has_aes(f) && has(f->xcr0, XCR0_AVX) && has(f->leaf7_ebx, LEAF7_EBX_AVX2 | LEAF7_EBX_BMI2);
}

static int has_avx512_aes(const features *f) {
    return has_avx2_aes(f) && has(f->xcr0, XCR0_AVX512) &&
           has(f->leaf7_ebx, LEAF7_EBX_AVX512F | LEAF7_EBX_AVX512DQ | LEAF7_EBX_AVX512BW | LEAF7_EBX_AVX512VL);
}

static int has_vector_aes(const features *f) {
#ifdef CP_EMULATE_VAES
    (void)f;
    return 1; /* tests/emulated_vaes.h stands in for the instructions */
#else
    return has(f->leaf7_ecx, LEAF7_ECX_VAES | LEAF7_ECX_VPCLMULQDQ);
#endif
}

int cp_cpu_has_aes(void) {
    features f = read_features();
    return has_aes(&f);
}

int cp_cpu_has_avx2_aes(void) {
    features f = read_features();
    return has_avx2_aes(&f);
}

int cp_cpu_has_avx512_aes(void) {
    features f = read_features();
    return has_avx512_aes(&f);
}

int cp_cpu_has_vaes256(void) {
    features f = read_features();
    return has_avx2_aes(&f) && has_vector_aes(&f);
}

int cp_cpu_has_vaes512(void) {
    features f = read_features();
    return has_avx512_aes(&f) && has_vector_aes(&f);
}
