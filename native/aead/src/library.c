/* The exported functions but for key expansion (key.c): which tiers there are, and which one to use. */
#include "cryptoplane_aead.h"
#include "tiers/tiers.h"

#include <stdlib.h>
#include <string.h>

/* The fastest first. */
static const cp_aead_tier *const tiers[] = {
    &cp_tier_vaes512,
    &cp_tier_vaes256,
    &cp_tier_aesni512,
    &cp_tier_aesni,
};

enum { TIERS = sizeof tiers / sizeof tiers[0] };

uint32_t cp_aead_abi(void) { return CP_AEAD_ABI; }

const cp_aead_tier *cp_aead_tier_at(size_t index) { return index < TIERS ? tiers[index] : NULL; }

const cp_aead_tier *cp_aead_select(void) {
    const char *wanted = getenv("CRYPTOPLANE_AEAD_TIER");
    int any = wanted == NULL || *wanted == '\0' || strcmp(wanted, "auto") == 0;
    for (size_t i = 0; i < TIERS; i++) {
        if ((any || strcmp(wanted, tiers[i]->name) == 0) && tiers[i]->is_supported())
            return tiers[i];
    }
    return NULL;
}
