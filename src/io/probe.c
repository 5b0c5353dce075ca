/* SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "io/probe.h"

#define URL_MAX 256U

static size_t on_body(char *p, size_t size, size_t n, void *userdata) {
        return buf_append(userdata, p, size * n) < 0 ? 0 : size * n;
}

/* A daemon that listens on all addresses is asked on loopback. */
static void host_of(const char *listen, char ret[static URL_MAX]) {
        const char *port = startswith(listen, "0.0.0.0:");

        if (port) {
                (void) snprintf(ret, URL_MAX, "127.0.0.1:%s", port);
                return;
        }
        port = startswith(listen, "[::]:");
        (void) snprintf(ret, URL_MAX, "%s%s", port ? "[::1]:" : "", port ?: listen);
}

static int error_of(CURLcode code, long os_error) {
        if (code == CURLE_OPERATION_TIMEDOUT)
                return -ETIMEDOUT;
        if (code == CURLE_OUT_OF_MEMORY)
                return -ENOMEM;
        if (code == CURLE_COULDNT_CONNECT)
                return os_error > 0 ? -(int) os_error : -ECONNREFUSED;
        return -EIO;
}

int probe_get(const char *listen, const char *path, usec_t timeout, Buf *ret_body) {
        const char *socket_path = startswith(listen, "unix:");
        char host[URL_MAX], url[2 * URL_MAX];
        long status = 0, os_error = 0;
        CURLcode code;
        CURL *e;

        e = curl_easy_init();
        if (!e)
                return -ENOMEM;
        host_of(socket_path ? "localhost" : listen, host);
        (void) snprintf(url, sizeof(url), "http://%s%s", host, path);
        (void) curl_easy_setopt(e, CURLOPT_URL, url);
        (void) curl_easy_setopt(e, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long) (timeout / USEC_PER_MSEC));
        (void) curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
        (void) curl_easy_setopt(e, CURLOPT_WRITEDATA, ret_body);
        if (socket_path)
                (void) curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, socket_path);
        code = curl_easy_perform(e);
        (void) curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
        (void) curl_easy_getinfo(e, CURLINFO_OS_ERRNO, &os_error);
        curl_easy_cleanup(e);
        return code == CURLE_OK ? (int) status : error_of(code, os_error);
}
