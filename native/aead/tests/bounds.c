/*
 * Nothing outside of an operation's memory is touched: source, destination and AAD lie in pages of their own between pages that kill the
 * process, `gap` bytes from one end, for gaps of 0 to 63 bytes (so that every alignment occurs) and all sizes. The descriptors fill a
 * page between such pages, and so does the key.
 *
 * One burst has 64 operations, one per gap. What is read is found where the gap is 0, and in a build with AddressSanitizer everywhere;
 * what is written is found everywhere, by canaries. Every operation of gap 0 runs once more by itself, with its descriptor at the
 * page's end.
 */
#include "support/check.h"
#include "support/guard.h"
#include "support/oracle.h"
#include "support/program.h"
#include "support/random.h"

#include <stdio.h>
#include <string.h>

enum { GAPS = 64, LENGTHS = 1101, AADS = 4, CANARY = 0xA5, NEAR = 128, WAYS = 3 };

/* Inline, the longest inline, and by pointer. Which one an operation has depends on its gap and size. */
static const uint16_t aad_lengths[AADS] = {8, 16, 17, 61};

typedef struct {
    uint8_t plaintext[LENGTHS], nonce[CP_AEAD_NONCE_SIZE], aad[64];
    uint8_t ciphertext[LENGTHS + CP_AEAD_TAG_SIZE]; /* of the longest: in a counter mode the others are its beginnings */
    uint8_t tags[LENGTHS][AADS][CP_AEAD_TAG_SIZE];
} answers;

/* SEAL, OPEN, or an open that fails. */
typedef struct {
    const char *tier;
    uint8_t algorithm;
    int way, in_place, at_the_end, single;
    size_t length, stride;
} test_case;

static test_case now;
static cp_guarded sources[GAPS], destinations[GAPS], aads[GAPS], descriptors, key_page;
static answers right[4];

static void describe_to(char *text, size_t size) {
    static const char *const ways[WAYS] = {"seal", "open", "failed open"};
    snprintf(text, size, "%s: %s, %s %s, length %zu + %zu * gap, buffers at the %s, %s", now.tier, cp_algorithm_name(now.algorithm),
             ways[now.way], now.in_place ? "in place" : "out of place", now.length, now.stride, now.at_the_end ? "end" : "start",
             now.single ? "single" : "burst");
}

static void describe(void) {
    char text[192];
    describe_to(text, sizeof text);
    puts(text);
}

static void build_answers(uint8_t algorithm, cp_random *random, cp_aead_key *key) {
    answers *a = &right[algorithm];
    uint8_t raw[CP_AEAD_MAX_KEY_SIZE];
    cp_random_fill(random, raw, sizeof raw);
    cp_random_fill(random, a, sizeof *a);
    cp_key_expand(key, algorithm, raw);
    cp_oracle *oracle = cp_oracle_new(algorithm, raw);
    for (size_t length = 0; length < LENGTHS; length++) {
        for (int i = 0; i < AADS; i++) {
            cp_oracle_seal(oracle, a->nonce, a->aad, aad_lengths[i], a->plaintext, length, a->ciphertext);
            memcpy(a->tags[length][i], a->ciphertext + length, CP_AEAD_TAG_SIZE);
        }
    }
    cp_oracle_free(oracle);
}

/* Where `size` bytes lie. */
static uint8_t *place(cp_guarded area, size_t size, size_t gap) { return now.at_the_end ? area.end - size - gap : area.start + gap; }

typedef struct {
    uint8_t *source, *destination, *aad;
    size_t source_size, destination_size, length;
    int aad_index;
} layout;

static layout lay_out(size_t gap) {
    layout l;
    l.length = (now.length + now.stride * gap) % LENGTHS;
    l.aad_index = (int)((gap + l.length) % AADS);
    l.source_size = l.length + (now.way > 0 || now.in_place ? CP_AEAD_TAG_SIZE : 0);
    l.destination_size = l.length + (now.way == 0 || now.in_place ? CP_AEAD_TAG_SIZE : 0);
    l.source = place(sources[gap], l.source_size, gap);
    /* Another alignment than the source's, but for the gap of 0. */
    l.destination = now.in_place ? l.source : place(destinations[gap], l.destination_size, gap * 37 % GAPS);
    l.aad = place(aads[gap], aad_lengths[l.aad_index], gap);
    return l;
}

static void build(size_t gap, cp_aead_operation *o, const cp_aead_key *key) {
    const answers *a = &right[now.algorithm];
    layout l = lay_out(gap);
    memcpy(l.source, now.way == 0 ? a->plaintext : a->ciphertext, l.length);
    if (now.way > 0) {
        memcpy(l.source + l.length, a->tags[l.length][l.aad_index], CP_AEAD_TAG_SIZE);
        l.source[l.length + gap % CP_AEAD_TAG_SIZE] ^= now.way == 2;
    }
    uint16_t aad_length = aad_lengths[l.aad_index];
    *o = (cp_aead_operation){.source = l.source,
                             .destination = l.destination,
                             .key = key,
                             .length = (uint32_t)l.length,
                             .aad_length = aad_length,
                             .direction = now.way == 0 ? CP_AEAD_SEAL : CP_AEAD_OPEN};
    memcpy(o->nonce, a->nonce, CP_AEAD_NONCE_SIZE);
    memcpy(l.aad, a->aad, aad_length);
    if (aad_length <= CP_AEAD_INLINE_AAD)
        memcpy(o->inline_aad, a->aad, aad_length);
    else
        o->aad = l.aad;
    cp_guard_only(sources[gap], l.source, l.source_size);
    if (!now.in_place)
        cp_guard_only(destinations[gap], l.destination, l.destination_size);
    cp_guard_only(aads[gap], l.aad, aad_length);
}

static int is_clean(const uint8_t *from, const uint8_t *to) {
    static const uint8_t canaries[CP_PAGE] = {[0 ... CP_PAGE - 1] = CANARY};
    return memcmp(from, canaries, (size_t)(to - from)) == 0;
}

/* Whether the neighbourhood of a buffer is as it was, within its page. */
static int is_clean_around(cp_guarded area, const uint8_t *start, size_t size) {
    const uint8_t *from = start - area.start < NEAR ? area.start : start - NEAR;
    const uint8_t *end = start + size, *to = area.end - end < NEAR ? area.end : end + NEAR;
    return is_clean(from, start) && is_clean(end, to);
}

static void check(size_t gap, const cp_aead_operation *o) {
    static const uint8_t zeros[LENGTHS];
    const answers *a = &right[now.algorithm];
    layout l = lay_out(gap);
    cp_guard_all(sources[gap]), cp_guard_all(destinations[gap]), cp_guard_all(aads[gap]);
    const uint8_t *data = now.way == 0 ? a->ciphertext : now.way == 1 ? a->plaintext : zeros;
    int right_status = o->status == (now.way == 2 ? CP_AEAD_AUTHENTICATION_FAILED : CP_AEAD_SUCCESS);
    int right_data = memcmp(l.destination, data, l.length) == 0;
    int right_tag = now.way > 0 || memcmp(l.destination + l.length, a->tags[l.length][l.aad_index], CP_AEAD_TAG_SIZE) == 0;
    int clean = is_clean_around(sources[gap], l.source, l.source_size) &&
                (now.in_place || is_clean_around(destinations[gap], l.destination, l.destination_size)) &&
                is_clean_around(aads[gap], l.aad, aad_lengths[l.aad_index]);
    if (right_status && right_data && right_tag && clean) {
        cp_checks += 4;
    } else {
        char text[192];
        describe_to(text, sizeof text);
        CHECK(right_status, "%s, gap %zu: status %d", text, gap, o->status);
        CHECK(right_data, "%s, gap %zu: data", text, gap);
        CHECK(right_tag, "%s, gap %zu: tag", text, gap);
        CHECK(clean, "%s, gap %zu: written outside", text, gap);
    }
    memset(l.source, CANARY, l.source_size);
    memset(l.destination, CANARY, l.destination_size);
    memset(l.aad, CANARY, aad_lengths[l.aad_index]);
}

/* One burst with all gaps, and the operation with gap 0 by itself. */
static void run_case(const cp_aead_tier *tier, const cp_aead_key *key) {
    cp_aead_operation *operations = (cp_aead_operation *)descriptors.start;
    now.single = 0;
    for (size_t gap = 0; gap < GAPS; gap++)
        build(gap, operations + gap, key);
    tier->run(operations, GAPS);
    for (size_t gap = 0; gap < GAPS; gap++)
        check(gap, operations + gap);

    now.single = 1;
    cp_aead_operation *last = operations + GAPS - 1;
    build(0, last, key);
    tier->run(last, 1);
    check(0, last);
}

static void test(const cp_aead_tier *tier, const cp_options *options) {
    cp_random random = {options->seed};
    cp_aead_key *key = (cp_aead_key *)(key_page.end - sizeof *key);
    now.tier = tier->name;
    for (now.algorithm = 1; now.algorithm <= 3; now.algorithm++) {
        build_answers(now.algorithm, &random, key);
        for (int bits = 0; bits < 8 * WAYS; bits++) {
            now.way = bits / 8, now.in_place = bits & 1, now.at_the_end = bits >> 1 & 1;
            /* All of one size, then of 64 sizes in a row. */
            now.stride = bits >> 2 & 1;
            for (now.length = 0; now.length < LENGTHS; now.length += options->quick ? 7 : 1)
                run_case(tier, key);
        }
        for (size_t gap = 0; gap < GAPS; gap++)
            CHECK(is_clean(sources[gap].start, sources[gap].end) && is_clean(destinations[gap].start, destinations[gap].end) &&
                      is_clean(aads[gap].start, aads[gap].end),
                  "%s, %s: far outside of a buffer", tier->name, cp_algorithm_name(now.algorithm));
    }
}

int main(int argc, char **argv) {
    cp_guard_report(describe);
    descriptors = cp_guarded_new(GAPS * sizeof(cp_aead_operation));
    key_page = cp_guarded_new(CP_PAGE);
    for (int gap = 0; gap < GAPS; gap++) {
        sources[gap] = cp_guarded_new(CP_PAGE), destinations[gap] = cp_guarded_new(CP_PAGE), aads[gap] = cp_guarded_new(CP_PAGE);
        memset(sources[gap].start, CANARY, CP_PAGE);
        memset(destinations[gap].start, CANARY, CP_PAGE);
        memset(aads[gap].start, CANARY, CP_PAGE);
    }
    return cp_test_tiers(argc, argv, test);
}

_Static_assert(GAPS * sizeof(cp_aead_operation) == CP_PAGE, "the descriptors fill their page");
