#include "secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hash table with open addressing. An entry counts if it is of the set's present generation, so that clearing is cheap. */
enum { TABLE_BITS = 21 };

typedef struct {
    uint64_t word;
    const char *name;
    unsigned generation;
} entry;

struct cp_secrets {
    unsigned generation;
    size_t used;
    entry table[1 << TABLE_BITS];
};

cp_secrets *cp_secrets_new(void) {
    cp_secrets *secrets = calloc(1, sizeof *secrets);
    secrets->generation = 1;
    return secrets;
}

void cp_secrets_clear(cp_secrets *secrets) {
    secrets->generation++;
    secrets->used = 0;
}

static size_t first_slot(uint64_t word) { return word * 0x9E3779B97F4A7C15 >> (64 - TABLE_BITS); }

static size_t next_slot(size_t slot) { return (slot + 1) & ((1 << TABLE_BITS) - 1); }

void cp_secrets_add_word(cp_secrets *secrets, const char *name, uint64_t word) {
    if (secrets->used++ > (1 << TABLE_BITS) / 2) {
        printf("too many secrets\n");
        exit(2);
    }
    size_t slot = first_slot(word);
    while (secrets->table[slot].generation == secrets->generation && secrets->table[slot].word != word)
        slot = next_slot(slot);
    secrets->table[slot] = (entry){word, name, secrets->generation};
}

static void add_windows(cp_secrets *secrets, const char *name, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i + CP_SECRET_WINDOW <= count; i++) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        cp_secrets_add_word(secrets, name, word);
    }
}

void cp_secrets_add(cp_secrets *secrets, const char *name, const void *bytes, size_t count) {
    const uint8_t *from = bytes;
    add_windows(secrets, name, from, count);
    for (size_t block = 0; block + 16 <= count; block += 16) {
        uint8_t reversed[16];
        for (int i = 0; i < 16; i++)
            reversed[i] = from[block + 15 - (size_t)i];
        add_windows(secrets, name, reversed, 16);
    }
}

const char *cp_secrets_find(const cp_secrets *secrets, const uint8_t *memory, size_t count, size_t *at) {
    for (size_t i = *at; i + CP_SECRET_WINDOW <= count; i++) {
        uint64_t word;
        memcpy(&word, memory + i, sizeof word);
        for (size_t slot = first_slot(word); secrets->table[slot].generation == secrets->generation; slot = next_slot(slot)) {
            if (secrets->table[slot].word == word) {
                *at = i;
                return secrets->table[slot].name;
            }
        }
    }
    return NULL;
}
