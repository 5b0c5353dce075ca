/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/check.h"
#include "base/memory.h"

typedef struct Check {
        const unsigned char *p, *end;
        unsigned depth;
        uint64_t objects; /* bit i: what is open at depth i is an object */
        const unsigned char *begin;
        uint32_t *word;  /* the next of the index; NULL: none is made */
        uint32_t **open; /* of what is open at each depth: its words in the index */
        uint32_t *width; /* of the object that is open at each depth: its members so far */
        JsonCounts counts;
} Check;

typedef enum CheckState {
        STATE_VALUE,
        STATE_FIRST_VALUE, /* or the end of the array */
        STATE_KEY,
        STATE_FIRST_KEY, /* or the end of the object */
        STATE_AFTER,     /* a value */
} CheckState;

static const char end_of_data[] = "unexpected end of data";

#define EACH(byte)  (0x0101010101010101ULL * (byte))
#define ANY_ZERO(x) (((x) -EACH(1)) & ~(x) &EACH(0x80))

/* Of eight bytes of a string, the first in the lowest place: the lowest bit that is set is in the first one
 * that needs a look. */
static uint64_t look_at(uint64_t x) {
        return ((x - EACH(0x20)) & ~x & EACH(0x80)) | ANY_ZERO(x ^ EACH('"')) | ANY_ZERO(x ^ EACH('\\'));
}

static void skip_blanks(Check *c) {
        while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
                c->p++;
}

static bool is_digit(unsigned char c) {
        return c >= '0' && c <= '9';
}

static bool is_hex(unsigned char c) {
        return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static const char *check_escape(Check *c) {
        if (c->p == c->end)
                return end_of_data;
        if (*c->p != 'u')
                return memchr("\"\\/bfnrt", *c->p++, 8) ? NULL : "unknown escape in a string";
        c->p++;
        for (unsigned i = 0; i < 4; i++, c->p++) {
                if (c->p == c->end)
                        return end_of_data;
                if (!is_hex(*c->p))
                        return "unknown escape in a string";
        }
        return NULL;
}

/* Behind the opening quote. */
static const char *check_string(Check *c) {
        const char *fault;
        uint64_t eight;

        for (;;) {
                for (; c->end - c->p >= 8; c->p += 8) {
                        memcpy(&eight, c->p, 8);
                        eight = look_at(le64toh(eight));
                        if (eight != 0) {
                                c->p += __builtin_ctzll(eight) / 8;
                                break;
                        }
                }
                if (c->p == c->end)
                        return end_of_data;
                if (*c->p < 0x20)
                        return "control character in a string";
                switch (*c->p++) {
                case '"':
                        return NULL;
                case '\\':
                        fault = check_escape(c);
                        if (fault)
                                return fault;
                }
        }
}

/* The opening quote is at c->p. */
static const char *index_string(Check *c) {
        const unsigned char *quote = c->p++;
        const char *fault = check_string(c);

        if (!fault && c->word)
                *c->word++ = (uint32_t) (c->p - quote);
        return fault;
}

static const char *check_digits(Check *c) {
        if (c->p == c->end)
                return end_of_data;
        if (!is_digit(*c->p))
                return "not a number";
        while (c->p < c->end && is_digit(*c->p))
                c->p++;
        return NULL;
}

static const char *check_number(Check *c) {
        const char *fault;

        if (*c->p == '-')
                c->p++;
        if (c->p < c->end && *c->p == '0')
                c->p++;
        else {
                fault = check_digits(c);
                if (fault)
                        return fault;
        }
        if (c->p < c->end && *c->p == '.') {
                c->p++;
                fault = check_digits(c);
                if (fault)
                        return fault;
        }
        if (c->p < c->end && (*c->p | 0x20) == 'e') {
                c->p++;
                if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
                        c->p++;
                return check_digits(c);
        }
        return NULL;
}

static const char *check_word(Check *c, const char *word) {
        for (; *word; word++, c->p++) {
                if (c->p == c->end)
                        return end_of_data;
                if (*c->p != (unsigned char) *word)
                        return "unexpected character";
        }
        return NULL;
}

static const char *open_container(Check *c, bool object, CheckState *state) {
        if (c->depth == JSON_CHECK_DEPTH_MAX)
                return "nesting too deep";
        c->objects = object ? c->objects | 1ULL << c->depth : c->objects & ~(1ULL << c->depth);
        c->width[c->depth] = 0;
        *(object ? &c->counts.objects : &c->counts.arrays) += 1;
        if (c->word) {
                c->open[c->depth] = c->word;
                *c->word = (uint32_t) (c->p - c->begin);
                c->word += JSON_INDEX_CONTAINER;
        }
        c->depth++;
        c->p++;
        *state = object ? STATE_FIRST_KEY : STATE_FIRST_VALUE;
        return NULL;
}

static void close_container(Check *c, CheckState *state) {
        c->depth--;
        c->p++;
        if (c->word) {
                uint32_t *mine = c->open[c->depth];

                mine[0] = (uint32_t) (c->p - c->begin) - mine[0];
                mine[1] = (uint32_t) (c->word - mine) - JSON_INDEX_CONTAINER;
        }
        *state = STATE_AFTER;
}

static const char *check_value(Check *c, CheckState *state) {
        *state = STATE_AFTER;
        switch (*c->p) {
        case '{':
                return open_container(c, true, state);
        case '[':
                return open_container(c, false, state);
        case '"':
                c->counts.strings++;
                return index_string(c);
        case 't':
                c->counts.others++;
                return check_word(c, "true");
        case 'f':
                c->counts.others++;
                return check_word(c, "false");
        case 'n':
                c->counts.nulls++;
                return check_word(c, "null");
        case '-':
        case '0' ... '9':
                c->counts.others++;
                return check_number(c);
        default:
                return "unexpected character";
        }
}

static void count_member(Check *c) {
        uint32_t width = ++c->width[c->depth - 1];

        c->counts.members++;
        if (width > JSON_CROWD)
                c->counts.crowded += width == JSON_CROWD + 1 ? width : 1;
}

static const char *check_key(Check *c, CheckState *state) {
        const char *fault;

        if (*c->p != '"')
                return "a name in quotes is expected";
        count_member(c);
        fault = index_string(c);
        if (fault)
                return fault;
        skip_blanks(c);
        if (c->p == c->end)
                return end_of_data;
        if (*c->p++ != ':')
                return "a colon is expected behind a name";
        *state = STATE_VALUE;
        return NULL;
}

static const char *check_after(Check *c, CheckState *state) {
        bool object = c->depth > 0 && c->objects >> (c->depth - 1) & 1;

        if (c->depth == 0)
                return "there is text after the end";
        if (*c->p == ',') {
                c->p++;
                *state = object ? STATE_KEY : STATE_VALUE;
                return NULL;
        }
        if (*c->p != (object ? '}' : ']'))
                return "a comma or the end is expected";
        close_container(c, state);
        return NULL;
}

/* `words`: room for an index; or NULL. So are `ret_counts` and `ret_at`. */
static const char *check(const char *s, size_t n, uint32_t *words, JsonCounts *ret_counts, size_t *ret_at) {
        uint32_t *open[JSON_CHECK_DEPTH_MAX], width[JSON_CHECK_DEPTH_MAX];
        Check c = {
                .p = (const unsigned char *) s,
                .end = (const unsigned char *) s + n,
                .begin = (const unsigned char *) s,
                .word = words,
                .open = open,
                .width = width,
        };
        CheckState state = STATE_VALUE;
        const char *fault = NULL;

        while (!fault) {
                skip_blanks(&c);
                if (c.p == c.end) {
                        fault = state == STATE_AFTER && c.depth == 0 ? NULL : end_of_data;
                        break;
                }
                if ((state == STATE_FIRST_VALUE && *c.p == ']') || (state == STATE_FIRST_KEY && *c.p == '}'))
                        close_container(&c, &state);
                else if (state == STATE_AFTER)
                        fault = check_after(&c, &state);
                else if (state == STATE_KEY || state == STATE_FIRST_KEY)
                        fault = check_key(&c, &state);
                else
                        fault = check_value(&c, &state);
        }
        if (ret_counts)
                *ret_counts = c.counts;
        if (ret_at)
                *ret_at = (size_t) (c.p - c.begin);
        return fault;
}

const char *json_check(const char *s, size_t n) {
        return check(s, n, NULL, NULL, NULL);
}

const char *json_check_at(const char *s, size_t n, size_t *ret_at) {
        return check(s, n, NULL, NULL, ret_at);
}

const char *json_check_counts(const char *s, size_t n, JsonCounts *ret) {
        assert(n <= UINT32_MAX);

        return check(s, n, NULL, ret, NULL);
}

/* The maximum of words for n bytes: a string has one word and at least two bytes, a closed container has
 * two words and two bytes; containers that are never closed are bounded by the depth. */
static size_t words_max(size_t n) {
        return n + JSON_INDEX_CONTAINER * JSON_CHECK_DEPTH_MAX;
}

int json_index_make(JsonIndex *x, const char *s, size_t n, const char **ret_fault) {
        const char *fault;

        assert(n <= UINT32_MAX);
        if (x->n_allocated < words_max(n)) {
                uint32_t *words = malloc(words_max(n) * sizeof(uint32_t));

                if (!words)
                        return -ENOMEM;
                free(x->words);
                x->words = words;
                x->n_allocated = words_max(n);
                memory_note(x->n_allocated * sizeof(uint32_t));
        }
        fault = check(s, n, x->words, NULL, NULL);
        if (!fault)
                return 0;
        *ret_fault = fault;
        return -EBADMSG;
}

void json_index_done(JsonIndex *x) {
        free(x->words);
        *x = (JsonIndex){};
}
