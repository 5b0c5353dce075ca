/* SPDX-License-Identifier: MIT */

/*
 * The URL of a proxy, in the first line; NO_PROXY in the second; a host in the third. What is taken as a URL
 * means the same to libcurl, and what people see of it has no user. A list of NO_PROXY covers what one of
 * its entries covers.
 */

#include <curl/curl.h>
#include <string.h>

#include "base/proxy.h"
#include "base/text.h"
#include "core/no-proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static Proxy *read_again(const char *text) {
        Proxy *p = NULL;

        check(proxy_new(text, strlen(text), &p) == 0);
        return p;
}

/* --- the URL --- */

static bool is_printable(const char *s) {
        for (; *s; s++)
                if (*s <= 0x20 || *s >= 0x7f)
                        return false;
        return true;
}

/* In the URL all but these characters are escapes of two capital digits, so equal URLs have equal texts. */
static void check_user(const char *user) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        for (size_t n; *user; user += n) {
                n = *user == '%' ? 3 : 1;
                if (*user == '%')
                        check(strspn(user + 1, "0123456789ABCDEF") >= 2);
                else
                        check(strchr(plain, *user) != NULL);
        }
}

static void check_part(CURLU *u, CURLUPart part, const char *want) {
        char *got = NULL;

        check(curl_url_get(u, part, &got, 0) == CURLUE_OK && streq(got, want));
        curl_free(got);
}

static void check_no_part(CURLU *u, CURLUPart part, CURLUcode why) {
        char *got = NULL;

        check(curl_url_get(u, part, &got, 0) == why);
        curl_free(got);
}

/* libcurl reads scheme, user, password and port as they are meant here. */
static void check_with_curl(const Proxy *p, const char *url) {
        const char *end = strstr(url, "://"), *begin, *at = strrchr(url, '@');
        char text[SECRET_LENGTH_MAX + 1], *password;
        CURLU *u = curl_url();

        check(u && end);
        begin = end + strlen("://");
        check(curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK);
        (void) snprintf(text, sizeof(text), "%.*s", (int) (end - url), url);
        check_part(u, CURLUPART_SCHEME, text);
        check_part(u, CURLUPART_PORT, strrchr(url, ':') + 1);
        check_no_part(u, CURLUPART_QUERY, CURLUE_NO_QUERY);
        check_no_part(u, CURLUPART_FRAGMENT, CURLUE_NO_FRAGMENT);
        check(proxy_has_user(p) == (at != NULL));
        if (at) {
                (void) snprintf(text, sizeof(text), "%.*s", (int) (at - begin), begin);
                password = strchr(text, ':');
                if (password) {
                        *password++ = 0;
                        check_user(password);
                        check_part(u, CURLUPART_PASSWORD, password);
                }
                check_user(text);
                check_part(u, CURLUPART_USER, text);
        } else {
                check_no_part(u, CURLUPART_USER, CURLUE_NO_USER);
                check_no_part(u, CURLUPART_PASSWORD, CURLUE_NO_PASSWORD);
        }
        curl_url_cleanup(u);
}

static void check_url(const char *text, size_t n) {
        _cleanup_(proxy_unrefp) Proxy *p = NULL, *again = NULL, *seen = NULL;
        const char *shown, *url;

        if (proxy_new(text, n, &p) < 0)
                return;
        check(memchr(text, 0, n) == NULL);
        shown = proxy_shown(p);
        check(is_printable(shown) && !strchr(shown, '@') && strlen(shown) < PROXY_SHOWN_MAX);
        seen = read_again(shown);
        check(streq(proxy_shown(seen), shown) && !proxy_has_user(seen));
        check(proxy_is_none(seen) == proxy_is_none(p) && proxy_is_https(seen) == proxy_is_https(p));
        if (proxy_is_none(p))
                return;
        check(streq(proxy_address(p), strstr(shown, "://") + strlen("://")));
        url = secret_reveal(proxy_url(p));
        check(is_printable(url));
        check(streq(url + strlen(url) - strlen(proxy_address(p)), proxy_address(p)));
        again = read_again(url);
        check(proxy_compare(p, again) == 0 && streq(secret_reveal(proxy_url(again)), url));
        check((proxy_compare(p, seen) == 0) == !proxy_has_user(p));
        check_with_curl(p, url);
}

/* --- NO_PROXY --- */

#define SEPARATORS ", \t\r\n"

static void check_list(const char *list, const char *host) {
        bool covers = no_proxy_covers(list, host), one = false;
        size_t entries = 0;

        if (strchr(host, '*')) /* is no host, and an entry that is not alone would be its name */
                return;
        for (const char *s = list + strspn(list, SEPARATORS); *s; entries++) {
                size_t n = strcspn(s, SEPARATORS);
                char *entry = strndup(s, n);

                check(entry != NULL);
                if (streq(entry, "*"))
                        check(no_proxy_covers(entry, host)); /* but only alone */
                else
                        one = one || no_proxy_covers(entry, host);
                free(entry);
                s += n;
                s += strspn(s, SEPARATORS);
        }
        check(covers == one || (covers && entries == 1 && strchr(list, '*')));
}

/* A host covers itself, with any case of letters, and covers no name above it. */
static void check_host(const char *host) {
        size_t n = strlen(host);
        char *copy;

        if (n == 0 || n > 1024 || host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.")])
                return;
        if (*host == '.' || host[n - 1] == '.')
                return;
        check(no_proxy_covers(host, host));
        copy = strdup(host);
        check(copy != NULL);
        for (size_t i = 0; i < n; i++)
                if (copy[i] >= 'a' && copy[i] <= 'z')
                        copy[i] = (char) (copy[i] - 'a' + 'A');
        check(no_proxy_covers(copy, host) && no_proxy_covers(host, copy));
        free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL;
        char *list, *host;

        if (size > 1 << 12)
                return 0;
        text = malloc(size + 1);
        check(text != NULL);
        memcpy(text, data, size);
        text[size] = 0;

        list = memchr(text, '\n', size);
        check_url(text, list ? (size_t) (list - text) : size);
        if (!list)
                return 0;
        host = strchr(++list, '\n');
        if (host) {
                *host++ = 0;
                check_list(list, host);
                check_host(host);
        }
        return 0;
}
