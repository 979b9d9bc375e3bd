/* What the files of this tier have for each other. */
#ifndef CP_VAES512_KERNELS_H
#define CP_VAES512_KERNELS_H

#include "../../plan.h"
#include "lanes.h"

/* Small data: up to so many blocks, which take up to eight groups. */
enum { CP_VAES512_SMALL_BLOCKS = CP_LANES * CP_GROUPS - 2 };

/* The kernels of one direction and key size: NAME_1 to NAME_8 for packets of so many groups, NAME_large for everything else. */
#define CP_VAES512_DECLARE(name) cp_kernel name##_large, name##_1, name##_2, name##_3, name##_4, name##_5, name##_6, name##_7, name##_8;
CP_VAES512_DECLARE(cp_vaes512_seal_128)
CP_VAES512_DECLARE(cp_vaes512_seal_256)
CP_VAES512_DECLARE(cp_vaes512_open_128)
CP_VAES512_DECLARE(cp_vaes512_open_256)

/* One packet of as many groups as the index says, with `front` for the block of AAD. */
typedef void cp_vaes512_single_kernel(cp_aead_operation *operation, __m128i front);
extern cp_vaes512_single_kernel *const cp_vaes512_single[2][CP_KEY_SIZES][CP_GROUPS + 1];

#endif
