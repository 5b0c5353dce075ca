/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>

#include "base/text.h"
#include "core/no-proxy.h"

#define BLANKS " \t\r\n"

typedef struct Host {
        const char *name;
        size_t n;
        int family; /* AF_UNSPEC: a name */
        uint8_t address[sizeof(struct in6_addr)];
} Host;

static Host host_of(const char *text) {
        Host h = { .name = text, .n = strlen(text), .family = AF_UNSPEC };
        char six[INET6_ADDRSTRLEN];

        if (inet_pton(AF_INET, text, h.address) == 1)
                h.family = AF_INET;
        else if (*text == '[' && h.n > 2 && h.n - 2 < sizeof(six)) {
                memcpy(six, text + 1, h.n - 2);
                six[h.n - 2] = 0;
                if (inet_pton(AF_INET6, six, h.address) == 1)
                        h.family = AF_INET6;
        } else if (h.n > 0 && text[h.n - 1] == '.')
                h.n--;
        return h;
}

static bool covers_name(const Host *h, const char *entry, size_t n) {
        if (n > 0 && entry[n - 1] == '.')
                n--;
        if (n > 0 && *entry == '.') {
                entry++;
                n--;
        }
        return n > 0 && n <= h->n && strncasecmp(h->name + h->n - n, entry, n) == 0 &&
               (n == h->n || h->name[h->n - n - 1] == '.');
}

static bool equal_bits(const uint8_t *a, const uint8_t *b, unsigned bits) {
        unsigned rest = bits % 8;

        return memcmp(a, b, bits / 8) == 0 &&
               (rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0);
}

/* Like curl, an address of no bits is compared as a whole. */
static bool covers_address(const Host *h, const char *entry, size_t n) {
        unsigned all = h->family == AF_INET ? 32 : 128, bits = 0;
        char text[INET6_ADDRSTRLEN + sizeof("/128")];
        uint8_t address[sizeof(struct in6_addr)];
        char *slash;

        if (n >= sizeof(text))
                return false;
        memcpy(text, entry, n);
        text[n] = 0;
        slash = strchr(text, '/');
        if (slash) {
                *slash = 0;
                if (text_parse_uint(slash + 1, &bits) < 0 || bits > all)
                        return false;
        }
        return inet_pton(h->family, text, address) == 1 &&
               equal_bits(address, h->address, bits > 0 ? bits : all);
}

bool no_proxy_covers(const char *list, const char *host) {
        const Host h = host_of(host);

        list += strspn(list, BLANKS);
        if (*list == '*' && list[1 + strspn(list + 1, BLANKS)] == 0)
                return true;
        for (size_t n; *list; list += n) {
                list += strspn(list, "," BLANKS);
                n = strcspn(list, "," BLANKS);
                if (h.family == AF_UNSPEC ? covers_name(&h, list, n) : covers_address(&h, list, n))
                        return true;
        }
        return false;
}
