/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <string.h>

#include "base/json/check.h"

typedef struct Check {
        const unsigned char *p, *end;
        unsigned depth;
        uint64_t objects; /* bit i: what is open at depth i is an object */
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
        c->depth++;
        c->p++;
        *state = object ? STATE_FIRST_KEY : STATE_FIRST_VALUE;
        return NULL;
}

static void close_container(Check *c, CheckState *state) {
        c->depth--;
        c->p++;
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
                c->p++;
                return check_string(c);
        case 't':
                return check_word(c, "true");
        case 'f':
                return check_word(c, "false");
        case 'n':
                return check_word(c, "null");
        case '-':
        case '0' ... '9':
                return check_number(c);
        default:
                return "unexpected character";
        }
}

static const char *check_key(Check *c, CheckState *state) {
        const char *fault;

        if (*c->p != '"')
                return "a name in quotes is expected";
        c->p++;
        fault = check_string(c);
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

const char *json_check(const char *s, size_t n) {
        Check c = { .p = (const unsigned char *) s, .end = (const unsigned char *) s + n };
        CheckState state = STATE_VALUE;
        const char *fault = NULL;

        while (!fault) {
                skip_blanks(&c);
                if (c.p == c.end)
                        return state == STATE_AFTER && c.depth == 0 ? NULL : end_of_data;
                if ((state == STATE_FIRST_VALUE && *c.p == ']') || (state == STATE_FIRST_KEY && *c.p == '}'))
                        close_container(&c, &state);
                else if (state == STATE_AFTER)
                        fault = check_after(&c, &state);
                else if (state == STATE_KEY || state == STATE_FIRST_KEY)
                        fault = check_key(&c, &state);
                else
                        fault = check_value(&c, &state);
        }
        return fault;
}
