/* The tiers of this build; library.c lists them in their order of preference. */
#ifndef CP_TIERS_H
#define CP_TIERS_H

#include "cryptoplane_aead.h"

extern const cp_aead_tier cp_tier_vaes512;
extern const cp_aead_tier cp_tier_vaes256;
extern const cp_aead_tier cp_tier_aesni512;
extern const cp_aead_tier cp_tier_aesni;

#endif
