/* What the CPU and the operating system have. */
#ifndef CP_CPU_H
#define CP_CPU_H

/* AES-NI, PCLMULQDQ and SSE4.1: key expansion. */
int cp_cpu_has_aes(void);

/* Those, and AVX2 and BMI2. */
int cp_cpu_has_avx2_aes(void);

/* Those, and AVX-512 F, BW, DQ and VL. */
int cp_cpu_has_avx512_aes(void);

/* AVX2, AES and carry-less multiplication on 256-bit vectors. */
int cp_cpu_has_vaes256(void);

/* AVX-512, AES and carry-less multiplication on 512-bit vectors. */
int cp_cpu_has_vaes512(void);

#endif
