/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/check.h"
#include "base/json/scan.h"
#include "base/memory.h"

/* What is looked at while it is checked. The place is passed from one function to the next: each takes where
 * something begins and returns the place behind it, or NULL after a fault. */
typedef struct Check {
        const unsigned char *begin, *end;
        const unsigned char *at; /* of the fault */
        const char *fault;
        unsigned depth;
        uint64_t objects; /* bit i: what is open at depth i is an object */
        const unsigned char *base; /* of the offsets: where the innermost container begins, or the text */
        uint32_t *word;  /* the next of the index; NULL: none is made */
        uint32_t *open[JSON_CHECK_DEPTH_MAX]; /* of what is open at each depth: its words in the index */
        uint32_t width[JSON_CHECK_DEPTH_MAX]; /* of the object that is open at each depth: its members */
} Check;

static const char end_of_data[] = "unexpected end of data";

static const unsigned char *fail(Check *c, const unsigned char *at, const char *fault) {
        c->at = at;
        c->fault = fault;
        return NULL;
}

/* What is printed for people is indented. */
static const unsigned char *skip_many_blanks(const unsigned char *p, const unsigned char *end) {
        uint64_t eight;

        while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
                for (p++; end - p >= 8; p += 8) {
                        memcpy(&eight, p, 8);
                        if (eight != 0x2020202020202020)
                                break;
                }
        return p;
}

static inline const unsigned char *skip_blanks(const unsigned char *p, const unsigned char *end) {
        if (p < end && *p == ' ')
                p++;
        return p < end && *p <= ' ' ? skip_many_blanks(p, end) : p;
}

static bool is_digit(unsigned char c) {
        return c >= '0' && c <= '9';
}

static bool is_hex(unsigned char c) {
        return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Behind the backslash. */
static const unsigned char *check_escape(Check *c, const unsigned char *p) {
        if (p == c->end)
                return fail(c, p, end_of_data);
        if (*p != 'u')
                return memchr("\"\\/bfnrt", *p, 8) ? p + 1 : fail(c, p + 1, "unknown escape in a string");
        p++;
        for (unsigned i = 0; i < 4; i++, p++) {
                if (p == c->end)
                        return fail(c, p, end_of_data);
                if (!is_hex(*p))
                        return fail(c, p, "unknown escape in a string");
        }
        return p;
}

/* At the opening quote. */
static const unsigned char *check_string(Check *c, const unsigned char *p) {
        for (p++;;) {
                p = (const unsigned char *) json_skip_plain((const char *) p, (const char *) c->end);
                if (p == c->end)
                        return fail(c, p, end_of_data);
                if (*p == '"')
                        return p + 1;
                if (*p < 0x20)
                        return fail(c, p, "control character in a string");
                if (*p++ == '\\') {
                        p = check_escape(c, p);
                        if (!p)
                                return NULL;
                }
        }
}

static const unsigned char *check_digits(Check *c, const unsigned char *p) {
        if (p == c->end)
                return fail(c, p, end_of_data);
        if (!is_digit(*p))
                return fail(c, p, "not a number");
        while (p < c->end && is_digit(*p))
                p++;
        return p;
}

static const unsigned char *check_number(Check *c, const unsigned char *p) {
        if (*p == '-')
                p++;
        if (p < c->end && *p == '0')
                p++;
        else if (!(p = check_digits(c, p)))
                return NULL;
        if (p < c->end && *p == '.' && !(p = check_digits(c, p + 1)))
                return NULL;
        if (p < c->end && (*p | 0x20) == 'e') {
                p++;
                if (p < c->end && (*p == '+' || *p == '-'))
                        p++;
                return check_digits(c, p);
        }
        return p;
}

static const unsigned char *check_word(Check *c, const unsigned char *p, const char *word) {
        for (; *word; word++, p++) {
                if (p == c->end)
                        return fail(c, p, end_of_data);
                if (*p != (unsigned char) *word)
                        return fail(c, p, "unexpected character");
        }
        return p;
}

static inline uint32_t distance(const unsigned char *from, const unsigned char *to) {
        return (uint32_t) (to - from);
}

/* A string is indexed by its place and its length. */
static inline const unsigned char *index_string(Check *c, const unsigned char *p) {
        const unsigned char *end = check_string(c, p);

        if (end && c->word) {
                c->word[0] = distance(c->base, p);
                c->word[1] = distance(p, end);
                c->word += JSON_INDEX_STRING;
        }
        return end;
}

/* As long as a container is open, the index has its place in the text, not in what it is in. */
static inline bool open_container(Check *c, const unsigned char *p, JsonCounts *counts) {
        bool is_object = *p == '{';

        if (c->depth == JSON_CHECK_DEPTH_MAX) {
                (void) fail(c, p, "nesting too deep");
                return false;
        }
        if (is_object)
                c->objects |= 1ULL << c->depth;
        else
                c->objects &= ~(1ULL << c->depth);
        if (counts) {
                c->width[c->depth] = 0;
                *(is_object ? &counts->objects : &counts->arrays) += 1;
        }
        if (c->word) {
                c->open[c->depth] = c->word;
                *c->word = distance(c->begin, p);
                c->word += JSON_INDEX_CONTAINER;
                c->base = p;
        }
        c->depth++;
        return true;
}

/* At its closing bracket. */
static inline void close_container(Check *c, const unsigned char *p) {
        uint32_t *mine, begin;

        c->depth--;
        if (!c->word)
                return;
        mine = c->open[c->depth];
        c->base = c->depth > 0 ? c->begin + *c->open[c->depth - 1] : c->begin;
        begin = mine[0];
        mine[0] = distance(c->base, c->begin + begin);
        mine[1] = distance(c->begin, p + 1) - begin;
        mine[2] = (uint32_t) (c->word - mine) - JSON_INDEX_CONTAINER;
}

static inline bool is_in_object(const Check *c) {
        return c->depth > 0 && c->objects >> (c->depth - 1) & 1;
}

static inline void count_member(Check *c, JsonCounts *counts) {
        uint32_t width = ++c->width[c->depth - 1];

        counts->members++;
        if (width > JSON_CROWD)
                counts->crowded += width == JSON_CROWD + 1 ? width : 1;
}

/* A name, its colon, and the blanks around that. */
static inline const unsigned char *check_name(Check *c, const unsigned char *p, JsonCounts *counts) {
        if (*p != '"')
                return fail(c, p, "a name in quotes is expected");
        if (counts)
                count_member(c, counts);
        p = index_string(c, p);
        if (!p)
                return NULL;
        p = skip_blanks(p, c->end);
        if (p == c->end)
                return fail(c, p, end_of_data);
        if (*p != ':')
                return fail(c, p + 1, "a colon is expected behind a name");
        p = skip_blanks(p + 1, c->end);
        return p < c->end ? p : fail(c, p, end_of_data);
}

/* A value that is no container. */
static inline const unsigned char *check_scalar(Check *c, const unsigned char *p, JsonCounts *counts) {
        if (*p == '"') {
                if (counts)
                        counts->strings++;
                return index_string(c, p);
        }
        if (counts)
                *(*p == 'n' ? &counts->nulls : &counts->others) += 1;
        if (c->word)
                *c->word++ = distance(c->base, p);
        switch (*p) {
        case 't':
                return check_word(c, p, "true");
        case 'f':
                return check_word(c, p, "false");
        case 'n':
                return check_word(c, p, "null");
        case '-':
        case '0' ... '9':
                return check_number(c, p);
        default:
                return fail(c, p, "unexpected character");
        }
}

/* Behind a value: closes what ends there, up to the next comma. NULL: a fault, or the end. */
static inline const unsigned char *check_after(Check *c, const unsigned char *p) {
        for (;; p++) {
                p = skip_blanks(p, c->end);
                if (c->depth == 0)
                        return p == c->end ? NULL : fail(c, p, "there is text after the end");
                if (p == c->end)
                        return fail(c, p, end_of_data);
                if (*p == ',')
                        return p + 1;
                if (*p != (is_in_object(c) ? '}' : ']'))
                        return fail(c, p, "a comma or the end is expected");
                close_container(c, p);
        }
}

/* Compiled for each of its callers, without what that one does not need. `words`: room for an index; or
 * NULL. `counts` are zeroed, or NULL. */
static _always_inline_ const char *check(const char *s, size_t n, uint32_t *words, JsonCounts *counts,
                                         size_t *ret_at) {
        const unsigned char *p = (const unsigned char *) s;
        Check c;

        c.begin = c.base = p;
        c.end = p + n;
        c.fault = NULL;
        c.depth = 0;
        c.objects = 0;
        c.word = words;
        while (p) {
                p = skip_blanks(p, c.end);
                if (p == c.end) {
                        (void) fail(&c, p, end_of_data);
                        break;
                }
                if (is_in_object(&c)) {
                        p = check_name(&c, p, counts);
                        if (!p)
                                break;
                }
                if (*p == '{' || *p == '[') {
                        unsigned char closing = *p == '{' ? '}' : ']';

                        if (!open_container(&c, p, counts))
                                break;
                        p = skip_blanks(p + 1, c.end);
                        if (p == c.end || *p != closing)
                                continue;
                } else {
                        p = check_scalar(&c, p, counts);
                        if (!p)
                                break;
                }
                p = check_after(&c, p);
        }
        if (ret_at)
                *ret_at = c.fault ? (size_t) (c.at - c.begin) : n;
        return c.fault;
}

const char *json_check(const char *s, size_t n) {
        return check(s, n, NULL, NULL, NULL);
}

const char *json_check_at(const char *s, size_t n, size_t *ret_at) {
        return check(s, n, NULL, NULL, ret_at);
}

const char *json_check_counts(const char *s, size_t n, JsonCounts *ret) {
        assert(n <= UINT32_MAX);

        *ret = (JsonCounts){};
        return check(s, n, NULL, ret, NULL);
}

/* The maximum of words for n bytes: a closed container has three words and two bytes, and no other value or
 * name has more words than bytes; containers that are never closed are bounded by the depth. */
static size_t words_max(size_t n) {
        return n + n / 2 + JSON_INDEX_CONTAINER * JSON_CHECK_DEPTH_MAX;
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
