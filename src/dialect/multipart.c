/* SPDX-License-Identifier: MIT */
#include "dialect/multipart.h"

#include <errno.h>
#include <stdbool.h>

#include "base/text.h"

/* --- headers --- */

/* Behind the closing quote. */
static const char *skip_quoted(const char *s, const char *end) {
        while (s < end && *s != '"')
                s += *s == '\\' && s + 1 < end ? 2 : 1;
        return s + (s < end);
}

/* The value of `name=` behind a semicolon, with or without quotes; false: there is none. */
static bool find_parameter(const char *s, const char *end, const char *name, char *ret, size_t size) {
        size_t n_name = strlen(name), n = 0;

        while (s < end) {
                bool quoted;

                while (s < end && *s != ';') /* the value before, which may hold one in quotes */
                        s = *s == '"' ? skip_quoted(s + 1, end) : s + 1;
                s += s < end;
                while (s < end && (*s == ' ' || *s == '\t'))
                        s++;
                if ((size_t) (end - s) <= n_name || strncasecmp(s, name, n_name) != 0 || s[n_name] != '=')
                        continue;
                s += n_name + 1;
                quoted = s < end && *s == '"';
                for (s += quoted; s < end && (quoted ? *s != '"' : !strchr("; \t", *s)); s++) {
                        if (quoted && *s == '\\' && s + 1 < end && strchr("\"\\", s[1]))
                                s++;
                        if (n + 1 < size)
                                ret[n++] = *s;
                }
                ret[n] = 0;
                return true;
        }
        return false;
}

static void copy(char *ret, size_t size, const char *s, const char *end) {
        size_t n = MIN((size_t) (end - s), size - 1);

        memcpy(ret, s, n);
        ret[n] = 0;
}

/* One line of a part's head. */
static void read_header(MultipartPart *p, const char *s, const char *end) {
        static const char disposition[] = "content-disposition:", type[] = "content-type:";
        size_t n = (size_t) (end - s);

        if (n >= strlen(disposition) && strncasecmp(s, disposition, strlen(disposition)) == 0) {
                (void) find_parameter(s, end, "name", p->name, sizeof(p->name));
                (void) find_parameter(s, end, "filename", p->filename, sizeof(p->filename));
        } else if (n >= strlen(type) && strncasecmp(s, type, strlen(type)) == 0) {
                for (s += strlen(type); s < end && (*s == ' ' || *s == '\t');)
                        s++;
                copy(p->type, sizeof(p->type), s, memchr(s, ';', (size_t) (end - s)) ?: end);
        }
}

/* Up to the empty line; *s is then behind it. */
static int read_head(MultipartPart *p, const char **s, const char *end) {
        const char *limit = (size_t) (end - *s) > MULTIPART_HEAD_MAX ? *s + MULTIPART_HEAD_MAX : end;

        for (;;) {
                const char *line = *s, *next = memmem(line, (size_t) (limit - line), "\r\n", 2);

                if (!next)
                        return limit < end ? -E2BIG : -EBADMSG;
                *s = next + 2;
                if (next == line)
                        return 0;
                read_header(p, line, next);
        }
}

/* --- the body --- */

int multipart_begin(Multipart *m, const char *content_type, const char *body, size_t n) {
        static const char form[] = "multipart/form-data";
        const char *s = strempty(content_type);
        char boundary[MULTIPART_BOUNDARY_MAX + 2];

        if (strncasecmp(s, form, strlen(form)) != 0 ||
            !find_parameter(s, s + strlen(s), "boundary", boundary, sizeof(boundary)) || !boundary[0] ||
            strlen(boundary) > MULTIPART_BOUNDARY_MAX)
                return -EINVAL;
        *m = (Multipart){ .p = body, .end = body + n, .delimiter = "\r\n--" };
        m->n_delimiter = text_append(m->delimiter, sizeof(m->delimiter), 4, boundary);
        return 0;
}

static const char *find_delimiter(const Multipart *m) {
        return memmem(m->p, (size_t) (m->end - m->p), m->delimiter, m->n_delimiter);
}

/* The first delimiter may begin the body; else all up to it is dropped. */
static int skip_preamble(Multipart *m) {
        size_t n = m->n_delimiter - 2;
        const char *at;

        if ((size_t) (m->end - m->p) >= n && memcmp(m->p, m->delimiter + 2, n) == 0) {
                m->p += n;
                return 0;
        }
        at = find_delimiter(m);
        if (!at)
                return -EBADMSG;
        m->p = at + m->n_delimiter;
        return 0;
}

/* Behind a delimiter: `--` ends the form, an end of line begins a part. */
int multipart_next(Multipart *m, MultipartPart *ret) {
        MultipartPart p = {};
        const char *at;
        int r;

        r = m->n_parts == 0 ? skip_preamble(m) : 0;
        if (r < 0)
                return r;
        if (m->end - m->p >= 2 && memcmp(m->p, "--", 2) == 0)
                return 0;
        if (m->n_parts++ == MULTIPART_PARTS_MAX)
                return -E2BIG;
        while (m->p < m->end && (*m->p == ' ' || *m->p == '\t'))
                m->p++;
        if (m->end - m->p < 2 || memcmp(m->p, "\r\n", 2) != 0)
                return -EBADMSG;
        m->p += 2;
        r = read_head(&p, &m->p, m->end);
        if (r < 0)
                return r;
        m->p -= 2; /* of an empty part the head's last line end is the delimiter's first */
        at = find_delimiter(m);
        if (!at)
                return -EBADMSG;
        p.data = at < m->p + 2 ? at : m->p + 2;
        p.n = (size_t) (at - p.data);
        m->p = at + m->n_delimiter;
        *ret = p;
        return 1;
}
