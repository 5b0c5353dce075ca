/* SPDX-License-Identifier: MIT */
#pragma once

/* Functions on strings. They assume ASCII and ignore the locale. */

#include <string.h>
#include <strings.h>

#include "base/macros.h"

#define TEXT_WHITESPACE " \t\r\n"
#define TEXT_DIGITS     "0123456789"

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool strcaseeq(const char *a, const char *b) {
        return strcasecmp(a, b) == 0;
}

static inline bool streq_ptr(const char *a, const char *b) {
        return a == b || (a && b && streq(a, b));
}

static inline const char *strempty(const char *s) {
        return s ?: "";
}

static inline bool strnull(const char *s) {
        return !s || !*s;
}

/* The rest of s after the prefix, or NULL. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* Copies as much of s as fits, and a NUL. */
static inline void text_copy(char *ret, size_t size, const char *s) {
        size_t n = strnlen(s, size - 1);

        memcpy(ret, s, n);
        ret[n] = 0;
}

/* Appends to the n bytes that are in `ret` already as much of s as fits, and a NUL; returns the new n. */
static inline size_t text_append(char *ret, size_t size, size_t n, const char *s) {
        text_copy(ret + n, size - n, s);
        return n + strlen(ret + n);
}

/* Parses a decimal number that is the whole string, without sign and blanks. -EINVAL, -ERANGE. */
int text_parse_u64(const char *s, uint64_t *ret);
int text_parse_uint(const char *s, unsigned *ret);
int text_parse_bool(const char *s, bool *ret); /* yes/no/true/false/on/off/1/0 */

/* Parses sizes: 512, 32K, 32M, 32MiB, 1G (powers of 1024). */
int text_parse_size(const char *s, uint64_t *ret);

/* "1,234,567"; returns `ret`. */
#define TEXT_GROUPED_MAX 27U
const char *text_grouped(uint64_t value, char ret[static TEXT_GROUPED_MAX]);

/* Removes white space at both ends, in place; returns the new beginning. */
char *text_strip(char *s);

/* True if s (n bytes) consists of bytes in `allowed` only and is not empty. */
bool text_in_charset(const char *s, size_t n, const char *allowed);

/* Writes the number in decimal, and a NUL; returns how many digits. */
#define TEXT_DECIMAL_MAX 21U
size_t text_decimal(uint64_t value, char ret[static TEXT_DECIMAL_MAX]);

void text_hex(const void *p, size_t n, char *ret); /* 2 n digits, lower case, and a NUL */
int text_unhex(char c); /* the value of a hex digit, or -EINVAL */

/* Decodes %XX in place. -EINVAL for a broken escape or an encoded NUL. */
int text_percent_decode(char *s);

/* Decodes the character at s, before `end`. Returns its length in bytes; 0 if it is not well-formed. */
size_t text_utf8_decode(const char *s, const char *end, uint32_t *ret);

/* True if the n bytes are well-formed UTF-8 (no surrogates, no overlong forms). */
bool text_is_utf8(const char *s, size_t n);

/* How many bytes of s fit into max without cutting a character. */
size_t text_utf8_prefix(const char *s, size_t max);

/* How many characters are to be inserted, left out, replaced or exchanged with their neighbours to make one
 * text of the other. Case does not count. UINT_MAX if a text is longer than TEXT_NEAR_MAX. */
#define TEXT_NEAR_MAX 63U
unsigned text_distance(const char *a, const char *b);

void text_lower(char *s, size_t n); /* the letters of ASCII among the first n bytes */

/* Makes the first letter of a sentence small, for behind a colon. A name like TLS stays as it is. */
void text_uncapitalize(char *s);
