/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "core/cidr.h"
#include "server/files/front.h"
#include "server/http.h"

#define GOOGLE     "https://generativelanguage.googleapis.com"
#define URLS_MAX   1024U /* of one answer */
#define HOST_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]"

/* gemgate itself has no TLS. */
bool front_is_tls(Request *q) {
        const struct sockaddr *sa = http_request_peer(q->io);
        const char *proto = http_request_header(q->io, "X-Forwarded-Proto");
        Address peer;

        if (!proto || !strcaseeq(proto, "https"))
                return false;
        if (!sa)
                return cidr_set_match_unix(&q->config->trusted_proxies);
        return address_from_sockaddr(sa, &peer) >= 0 && cidr_set_match(&q->config->trusted_proxies, &peer);
}

const char *front_host(Request *q) {
        const char *host = http_request_header(q->io, "Host");

        return !strnull(host) && strlen(host) <= FRONT_HOST_MAX &&
                               text_in_charset(host, strlen(host), HOST_CHARS)
                       ? host
                       : NULL;
}

/* Google's SDK takes the name of a file from such a URL, but only if that begins with https, and asks its
 * base URL for it. */
static bool reads_names(Request *q) {
        const char *client = http_request_header(q->io, "x-goog-api-client");

        return client && strstr(client, "google-genai-sdk/");
}

/* A string that is a URL of content: "https://generativelanguage.googleapis.com/v1beta/files/x:download".
 * Where it is a file's name (fileUri), it stays: it comes back in bodies, which are not changed. */
static const char *find_url(const char *p, const char *end) {
        static const char google[] = "\"" GOOGLE "/", verb[] = ":download";

        while ((p = memmem(p, (size_t) (end - p), google, sizeof(google) - 1))) {
                const char *quote = memchr(p + 1, '"', (size_t) (end - p - 1));

                if (quote && memmem(p, (size_t) (quote - p), verb, sizeof(verb) - 1))
                        return p + 1;
                p++;
        }
        return NULL;
}

void front_rewrite(Request *q, Buf *answer) {
        const char *host = front_host(q), *p, *end, *url;
        bool is_tls = front_is_tls(q);
        Buf out;

        if (answer->n == 0 || !host || (!is_tls && reads_names(q)))
                return;
        p = buf_data(answer);
        end = p + answer->n;
        if (!find_url(p, end))
                return;
        out = BUF_INIT(answer->n + URLS_MAX * (FRONT_HOST_MAX + sizeof("https://")));
        while ((url = find_url(p, end))) {
                (void) buf_append(&out, p, (size_t) (url - p));
                (void) buf_printf(&out, "%s://%s", is_tls ? "https" : "http", host);
                p = url + strlen(GOOGLE);
        }
        if (buf_append(&out, p, (size_t) (end - p)) < 0) {
                buf_done(&out);
                return;
        }
        buf_done(answer);
        *answer = out;
}
