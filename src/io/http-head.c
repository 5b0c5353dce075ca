/* SPDX-License-Identifier: MIT */

/*
 * Checks of a head that libmicrohttpd does not make, or answers with a page of HTML instead of an error in
 * the client's form. What can be seen only in the bytes as they were received is checked in http-framing.c;
 * here it is what the head means: a method that is a token, one Host, and a length of the body that all
 * programs read in the same way. There is one Content-Length or one Transfer-Encoding, of a form that cannot
 * be taken for another.
 *
 * Blanks at the end of a value are not part of it (RFC 9110, 5.5), but libmicrohttpd leaves them there. They
 * are cut off where the value was received, once, so that nothing behind this file sees them. Content-Length
 * and Transfer-Encoding are checked before that, because libmicrohttpd has read them with the blanks.
 */

#include "base/text.h"
#include "io/http-head.h"

typedef struct Head {
        HttpRequest *request;
        const char *fault;
        unsigned n_length, n_encoding, n_host;
        bool lasts;
} Head;

static void frame(Head *h, const char *name, size_t n_name, const char *value, size_t n_value) {
        HttpRequest *r = h->request;

        if (n_name == strlen("content-length") && strcaseeq(name, "content-length")) {
                h->n_length++;
                r->has_length = true;
                if (!text_in_charset(value, n_value, TEXT_DIGITS) || text_parse_u64(value, &r->length) < 0)
                        h->fault = "Content-Length is not a number";
        } else if (n_name == strlen("transfer-encoding") && strcaseeq(name, "transfer-encoding")) {
                h->n_encoding++;
                r->chunked = true;
                if (!strcaseeq(value, "chunked"))
                        h->fault = "the only Transfer-Encoding taken is chunked";
        } else if (n_name == strlen("host") && strcaseeq(name, "host"))
                h->n_host++;
        else if (n_name == strlen("connection") && strcaseeq(name, "connection") &&
                 !strcaseeq(value, "keep-alive"))
                h->lasts = false;
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
        h->request->header_names |= http_name_bit(name, n_name);
        frame(h, name, n_name, value, n_value);
        trim(value, n_value);
        return h->fault ? MHD_NO : MHD_YES;
}

static const char *head_fault(HttpRequest *r, const char *version) {
        Head h = { .request = r, .lasts = streq(version, MHD_HTTP_VERSION_1_1) };

        if (!http_is_token(r->method, strlen(r->method)))
                return "the method is not a token";
        (void) MHD_get_connection_values_n(r->connection->mhd, MHD_HEADER_KIND, on_header, &h);
        r->lasts = h.lasts;
        if (h.fault)
                return h.fault;
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

void http_head_check(HttpRequest *r, const char *version) {
        r->is_1_0 = streq(version, MHD_HTTP_VERSION_1_0);
        r->fault = head_fault(r, version);
        if (r->fault) /* not all were looked at */
                r->header_names = UINT64_MAX;
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
