/* SPDX-License-Identifier: MIT */

/* Why there is no tunnel, in one line: whether it was the proxy, or what is behind it. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/curl-internal.h"

/* What a SOCKS proxy has refused, or why it was not understood. */
static const char *words_of_socks(long code) {
        static const struct {
                CURLproxycode code;
                const char *words;
        } rows[] = {
                { CURLPX_CLOSED, "it closed the connection" },
                { CURLPX_NO_AUTH, "it wants a user and a password" },
                { CURLPX_USER_REJECTED, "it refuses the user or the password" },
                { CURLPX_REPLY_NOT_ALLOWED, "its rules forbid the connection" },
                { CURLPX_REPLY_NETWORK_UNREACHABLE, "it finds the network unreachable" },
                { CURLPX_REPLY_HOST_UNREACHABLE, "it finds the host unreachable" },
                { CURLPX_REPLY_CONNECTION_REFUSED, "the connection behind it was refused" },
                { CURLPX_REPLY_TTL_EXPIRED, "the connection behind it timed out" },
                { CURLPX_REPLY_GENERAL_SERVER_FAILURE, "it could not connect to Gemini" },
                { CURLPX_BAD_VERSION, "it is not a SOCKS5 proxy" },
                { CURLPX_RESOLVE_HOST, "it could not resolve the name" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if ((long) rows[i].code == code)
                        return rows[i].words;
        return NULL;
}

/* What an HTTP proxy has answered to CONNECT. */
static const char *words_of_status(const Proxy *p, long status) {
        switch (status) {
        case 403:
                return "it forbids the connection";
        case 401: /* of a wrong password by tinyproxy */
        case 407:
                return proxy_has_user(p) ? "it refuses the user or the password" :
                                           "it wants a user and a password";
        case 502:
        case 503:
        case 504:
                return "it could not connect to Gemini";
        default:
                return "it refuses to connect to Gemini";
        }
}

void curl_cause(CURL *easy, const Proxy *proxy, CURLcode code, const char *words,
                char ret[static TUNNEL_CAUSE_MAX]) {
        long status = 0, socks = 0, number = 0;
        const char *why = NULL, *behind = "";
        char answer[32] = "";
        size_t n;

        (void) curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
        (void) curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &socks);
        (void) curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);

        if (status >= 300) {
                why = words_of_status(proxy, status);
                (void) snprintf(answer, sizeof(answer), " (%ld)", status);
                behind = answer;
        } else if (code == CURLE_COULDNT_RESOLVE_PROXY)
                why = "its name could not be resolved";
        else if (code == CURLE_PROXY && (why = words_of_socks(socks)))
                ;
        else if (code == CURLE_COULDNT_CONNECT && number > 0)
                why = strerrordesc_np((int) number);
        else if (code == CURLE_OPERATION_TIMEDOUT)
                why = "it did not answer within CONNECT_TIMEOUT";
        else if (code == CURLE_ABORTED_BY_CALLBACK)
                why = words; /* ours */
        else if (code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CONNECT_ERROR) {
                why = "it gave no answer: ";
                behind = words;
        } else
                why = words; /* of TLS with the proxy */

        n = (size_t) snprintf(ret, TUNNEL_CAUSE_MAX, "proxy %s: ", proxy_address(proxy));
        n = MIN(n, TUNNEL_CAUSE_MAX - 1);
        (void) snprintf(ret + n, TUNNEL_CAUSE_MAX - n, "%s%s", why ?: words, behind);
        if (why != words)
                text_uncapitalize(ret + n); /* the system's words begin a sentence */
        for (char *p = ret; *p; p++)
                if ((unsigned char) *p < 0x20 || *p == 0x7f)
                        *p = ' ';
        secret_scrub_users(ret); /* libcurl quotes what it was given: it may be the URL of a proxy */
}
