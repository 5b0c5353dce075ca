/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "env-readers.h"

typedef struct Out {
        char text[256];
        size_t n, keep; /* whitespace behind `keep` is dropped at the end of the value */
} Out;

static void put(Out *o, char c) {
        assert_true(o->n < sizeof(o->text) - 1);
        o->text[o->n++] = c;
        o->text[o->n] = 0;
}

static void add_pair(EnvPairs *p, const char *name, size_t n_name, const char *value) {
        assert_true(p->n < ELEMENTSOF(p->pairs));
        (void) snprintf(p->pairs[p->n].name, sizeof(p->pairs[0].name), "%.*s", (int) n_name, name);
        (void) snprintf(p->pairs[p->n].value, sizeof(p->pairs[0].value), "%s", value);
        p->n++;
}

const char *env_pairs_get(const EnvPairs *p, const char *name) {
        for (size_t i = p->n; i-- > 0;)
                if (streq(p->pairs[i].name, name))
                        return p->pairs[i].value;
        return NULL;
}

static bool name_is_valid(const char *s, size_t n) {
        return n > 0 && !strchr(TEXT_DIGITS, *s) &&
               text_in_charset(s, n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" TEXT_DIGITS);
}

/* --- systemd --- */

#define SYSTEMD_NEWLINE    "\n\r"
#define SYSTEMD_WHITESPACE " \t\n\r"
#define SYSTEMD_ESCAPED    "\"\\`$" /* a backslash before any other, inside of double quotes, stays */

static bool in(char c, const char *set) {
        return c && strchr(set, c);
}

/* The state PRE_VALUE: quoted parts one after the other, each taken for itself, until something else comes.
 */
static const char *systemd_quoted_parts(const char *p, Out *o) {
        for (;; p++) {
                if (*p == '\'') {
                        for (p++; *p && *p != '\''; p++)
                                put(o, *p);
                } else if (*p == '"') {
                        for (p++; *p && *p != '"'; p++) {
                                if (*p != '\\') {
                                        put(o, *p);
                                        continue;
                                }
                                if (!*++p)
                                        return p;
                                if (*p == '\n')
                                        continue;
                                if (!in(*p, SYSTEMD_ESCAPED))
                                        put(o, '\\');
                                put(o, *p);
                        }
                } else if (!in(*p, " \t"))
                        return p;
                if (!*p)
                        return p;
        }
}

/* The state VALUE: everything literally, except backslashes. */
static const char *systemd_bare_part(const char *p, Out *o) {
        o->keep = o->n;
        for (; *p && !in(*p, SYSTEMD_NEWLINE); p++) {
                if (*p == '\\') {
                        o->keep = o->n;
                        if (!*++p)
                                break;
                        if (!in(*p, SYSTEMD_NEWLINE))
                                put(o, *p);
                        o->keep = o->n;
                        continue;
                }
                put(o, *p);
                if (!in(*p, SYSTEMD_WHITESPACE))
                        o->keep = o->n;
        }
        o->n = o->keep;
        o->text[o->n] = 0;
        return p;
}

/* Assignments that are not valid are dropped with a message; control characters were not allowed in all
 * versions. */
static bool systemd_takes(const char *name, size_t n_name, const char *value) {
        for (const char *v = value; *v; v++)
                if (((unsigned char) *v < 0x20 || *v == 0x7f) && !in(*v, "\t\n"))
                        return false;
        return name_is_valid(name, n_name);
}

int systemd_read(const char *text, EnvPairs *ret) {
        const char *p = text;

        *ret = (EnvPairs){};
        for (;;) {
                const char *name, *end;
                Out o = {};

                p += strspn(p, SYSTEMD_WHITESPACE);
                if (!*p)
                        return 0;
                if (in(*p, "#;")) {
                        for (; *p && !in(*p, SYSTEMD_NEWLINE); p++)
                                if (*p == '\\' && p[1])
                                        p++;
                        continue;
                }

                name = p++; /* the first character is the name's, even if it is a = */
                p += strcspn(p, "=" SYSTEMD_NEWLINE);
                if (*p != '=')
                        continue; /* a line without one is not reported */
                for (end = p++; end > name && in(end[-1], SYSTEMD_WHITESPACE); end--)
                        ;

                p = systemd_quoted_parts(p, &o);
                if (*p && !in(*p, SYSTEMD_NEWLINE))
                        p = systemd_bare_part(p, &o);
                if (!text_is_utf8(name, (size_t) (end - name)) || !text_is_utf8(o.text, o.n))
                        return -EINVAL;
                if (systemd_takes(name, (size_t) (end - name), o.text))
                        add_pair(ret, name, (size_t) (end - name), o.text);
        }
}

/* --- compose --- */

/* Go's unicode.IsSpace, as far as the tests go: how many bytes of white space begin here. */
static size_t go_space(const char *p) {
        if (in(*p, " \t\n\v\f\r"))
                return 1;
        return (unsigned char) p[0] == 0xC2 && in(p[1], "\x85\xA0") ? 2 : 0;
}

static const char *go_skip_space(const char *p, bool lines) {
        size_t k;

        while ((k = go_space(p)) > 0 && (lines || *p != '\n'))
                p += k;
        return p;
}

static void go_trim_right(Out *o) {
        for (;;) {
                if (o->n >= 1 && go_space(o->text + o->n - 1) == 1)
                        o->n--;
                else if (o->n >= 2 && go_space(o->text + o->n - 2) == 2)
                        o->n -= 2;
                else
                        break;
        }
        o->text[o->n] = 0;
}

/* Any $ means interpolation, or an error, or at least that it is doubled. */
static const char *compose_interpolate(const Out *o) {
        return strchr(o->text, '$') ? INTERPOLATED : o->text;
}

static const char *compose_bare(const char *p, Out *o) {
        const char *lf = strchrnul(p, '\n');

        for (; p < lf && !(p[0] == ' ' && p + 1 < lf && p[1] == '#'); p++)
                put(o, *p);
        go_trim_right(o);
        return *lf ? lf + 1 : lf;
}

/* Within both kinds of quotes a backslash keeps the quote from ending them; the other escapes are for double
 * ones. */
static const char *compose_quoted(const char *p, Out *o) {
        char quote = *p++;

        for (; *p && *p != quote; p++) {
                if (*p != '\\') {
                        put(o, *p);
                        continue;
                }
                if (!*++p)
                        return NULL;
                if (*p == quote) {
                        put(o, *p);
                        continue;
                }
                if (quote == '\'' || !in(*p, "abcfnrtv$\\0")) {
                        put(o, '\\');
                        put(o, *p);
                } else if (*p == '\\')
                        put(o, '\\');
                else /* newlines, bells, octal numbers: never what the others make of it */
                        put(o, '\x01');
        }
        return *p ? p + 1 : NULL;
}

static const char *compose_name(const char *p, size_t *ret_n) {
        const char *s = p;

        for (;; p++) {
                size_t k = *p == '\n' ? 0 : go_space(p);

                if (k > 0)
                        p += k - 1;
                else if (in(*p, "=:\n") || !*p)
                        break;
                else if (!in(*p, "_.[]ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" TEXT_DIGITS))
                        return NULL;
        }
        if (!*p) {
                *ret_n = 0; /* the end of the file is the end of no name, and no fault either */
                return p > s ? p : NULL;
        }
        *ret_n = (size_t) (p - s);
        while (*ret_n > 0 && go_space(s + *ret_n - 1) == 1)
                (*ret_n)--;
        return memchr(s, ' ', *ret_n) ? NULL : p;
}

int compose_read(const char *text, EnvPairs *ret) {
        const char *p = startswith(text, "\xEF\xBB\xBF") ?: text;

        *ret = (EnvPairs){};
        for (;;) {
                const char *name;
                size_t n_name;
                Out o = {};

                p = go_skip_space(p, true);
                if (!*p)
                        return 0;
                if (*p == '#') {
                        p = strchrnul(p, '\n');
                        continue;
                }
                if (strncmp(p, "export", 6) == 0 && go_space(p + 6) > 0)
                        p = go_skip_space(p + 6, false);

                name = p;
                p = compose_name(p, &n_name);
                if (!p)
                        return -EINVAL;
                if (!*p || *p == '\n')
                        continue; /* taken from compose's own environment */

                p = go_skip_space(p + 1, false);
                if (*p == '\'' || *p == '"') {
                        bool plain = *p == '\'';

                        p = compose_quoted(p, &o);
                        if (!p)
                                return -EINVAL;
                        add_pair(ret, name, n_name, plain ? o.text : compose_interpolate(&o));
                } else {
                        p = compose_bare(p, &o);
                        add_pair(ret, name, n_name, compose_interpolate(&o));
                }
        }
}
