/* ChaCha20-Poly1305 (RFC 8439 §2.8) for bursts; see the README beside this. */
#ifndef CP_CHACHA20_POLY1305_H
#define CP_CHACHA20_POLY1305_H

#include "../plan.h"

/* For CPUs with AVX2 and BMI2. */
cp_kernel cp_chacha20_poly1305_seal_avx2;
cp_kernel cp_chacha20_poly1305_open_avx2;

/* For CPUs with AVX-512 F, BW, DQ and VL. */
cp_kernel cp_chacha20_poly1305_seal_avx512;
cp_kernel cp_chacha20_poly1305_open_avx512;

#endif
