/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/text.h"
#include "io/loopback.h"

#define LOOPBACK_NET 127U

static bool is_loopback6(const struct in6_addr *a) {
        return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == LOOPBACK_NET);
}

bool loopback_is_host(const char *host) {
        size_t n = strlen(host);
        char text[INET6_ADDRSTRLEN];
        struct in6_addr six;
        struct in_addr four;

        if (strcaseeq(host, "localhost") || strcaseeq(host, "localhost."))
                return true;
        if (inet_pton(AF_INET, host, &four) == 1)
                return ntohl(four.s_addr) >> 24 == LOOPBACK_NET;
        if (n < 2 || host[0] != '[' || host[n - 1] != ']' || n - 2 >= sizeof(text))
                return false;
        memcpy(text, host + 1, n - 2);
        text[n - 2] = 0;
        return inet_pton(AF_INET6, text, &six) == 1 && is_loopback6(&six);
}
