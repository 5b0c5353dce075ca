/* SPDX-License-Identifier: MIT */

/*
 * Checks of a head that libmicrohttpd does not make, or answers with a page of HTML instead of an error in
 * the client's form. Two programs that read the same head differently are what request smuggling needs, so
 * everything is refused that another program could read in another way:
 *
 *   - Bytes that libmicrohttpd drops. It ends each name and value at its first NUL byte, so `TOKEN NUL x`
 *     would be TOKEN. It takes the head apart where it was received, therefore the parts must follow each
 *     other without a gap: a gap is what was behind a NUL, or a header that was continued on the next line
 *     (obsolete line folding). Newer versions move the parts, and refuse NUL bytes by themselves.
 *   - A name that is not a token, such as one with a blank before its colon, and a CR within a value.
 *   - Lengths: both Content-Length and Transfer-Encoding, more than one, or one that is malformed.
 *
 * Blanks at the end of a value are not part of it (RFC 9110, 5.5), but libmicrohttpd leaves them there. They
 * are cut off where the value was received, once, so that nothing behind this file sees them. Content-Length
 * and Transfer-Encoding are checked before that, because libmicrohttpd has read them with the blanks.
 */

#include <ctype.h>

#include "base/text.h"
#include "io/http-head.h"

static const char odd_header[] =
        "a NUL byte, a header without a name, or one that continues on the next line";

typedef struct Head {
        const char *end;  /* of the previous part: its NUL; NULL: the parts may lie anywhere */
        const char *fault;
        unsigned n_length, n_encoding, n_host;
} Head;

/* Up to version 0.9 the parts stay where they were received. */
static bool parts_stay(void) {
        static int stay = -1;

        if (stay < 0)
                stay = startswith(MHD_get_version(), "0.") != NULL;
        return stay;
}

/* libmicrohttpd has written a NUL over each byte of the line's end, which is CR LF or LF. */
static const char *next_line(const char *end) {
        return end[1] ? end + 1 : end + 2;
}

/* The head ends with two ends of lines, and nothing else. */
static bool ends_at(const char *end, const char *head_end) {
        static const char ends[4];

        return head_end >= end + 2 && head_end <= end + 4 &&
               memcmp(end, ends, (size_t) (head_end - end)) == 0;
}

static bool is_token(const char *s, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) s[i]) && !strchr("!#$%&'*+-.^_`|~", s[i]))
                        return false;
        return n > 0;
}

static void frame(Head *h, const char *name, size_t n_name, const char *value, size_t n_value) {
        if (n_name == strlen("content-length") && strcaseeq(name, "content-length")) {
                h->n_length++;
                if (!text_in_charset(value, n_value, TEXT_DIGITS))
                        h->fault = "Content-Length is not a number";
        } else if (n_name == strlen("transfer-encoding") && strcaseeq(name, "transfer-encoding")) {
                h->n_encoding++;
                if (!strcaseeq(value, "chunked"))
                        h->fault = "the only Transfer-Encoding taken is chunked";
        } else if (n_name == strlen("host") && strcaseeq(name, "host"))
                h->n_host++;
}

/* The memory is the connection's read buffer, which libmicrohttpd lends as constant. */
static void trim(const char *value, size_t n) {
        char *p = (char *) (uintptr_t) value;

        while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
                p[--n] = 0;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind _unused_, const char *name,
                                 size_t n_name, const char *value, size_t n_value) {
        Head *h = cls;

        if (!value) {
                h->fault = "a header has no value";
                return MHD_NO;
        }
        if (h->end) {
                const char *p = name + n_name + 1;

                if (name != next_line(h->end) || value != p + strspn(p, " \t")) {
                        h->fault = odd_header;
                        return MHD_NO;
                }
                h->end = value + n_value;
        }
        if (!is_token(name, n_name))
                h->fault = "the name of a header is not a token";
        else if (memchr(value, '\r', n_value))
                h->fault = "a header contains CR";
        else
                frame(h, name, n_name, value, n_value);
        trim(value, n_value);
        return h->fault ? MHD_NO : MHD_YES;
}

static const char *line_fault(const HttpRequest *r, const char *version) {
        const HttpConnection *c = r->connection;

        if (c->blank_in_target)
                return "a blank in the target";
        if (parts_stay() && (r->method + strlen(r->method) + 1 != c->target ||
                             c->target + c->n_target + 1 != version))
                return "a NUL byte or too many blanks in the first line";
        return NULL;
}

static const char *head_fault(HttpRequest *r, const char *version) {
        struct MHD_Connection *mhd = r->connection->mhd;
        const union MHD_ConnectionInfo *info;
        const char *fault = line_fault(r, version);
        Head h = {};

        if (fault)
                return fault;
        if (parts_stay())
                h.end = version + strlen(version);
        (void) MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header, &h);
        if (h.fault)
                return h.fault;
        if (h.end) {
                info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
                if (!info || !ends_at(h.end, r->method + info->header_size))
                        return odd_header;
        }
        if (h.n_length > 0 && h.n_encoding > 0)
                return "Content-Length and Transfer-Encoding do not go together";
        if (h.n_length > 1)
                return "more than one Content-Length";
        if (h.n_encoding > 1)
                return "the only Transfer-Encoding taken is chunked";
        if (h.n_encoding > 0 && streq(version, MHD_HTTP_VERSION_1_0))
                return "HTTP/1.0 has no Transfer-Encoding";
        if (h.n_host > 1)
                return "more than one Host";
        if (h.n_host == 0 && !streq(version, MHD_HTTP_VERSION_1_0))
                return "no Host";
        return NULL;
}

void http_head_line(HttpConnection *c, const char *uri) {
        c->target = uri;
        c->n_target = uri ? strlen(uri) : 0;
        c->blank_in_target = uri && memchr(uri, ' ', c->n_target);
}

void http_head_check(HttpRequest *r, const char *version) {
        r->fault = head_fault(r, version);
}

const char *http_head_path(const char *target) {
        const char *path;
        size_t n = 0;

        if (target[0] == '/')
                return target;
        if (strncasecmp(target, "http://", strlen("http://")) == 0)
                n = strlen("http://");
        else if (strncasecmp(target, "https://", strlen("https://")) == 0)
                n = strlen("https://");
        if (n == 0 || strnull(target + n) || target[n] == '/')
                return target;
        path = strchr(target + n, '/');
        return path ?: "/";
}
