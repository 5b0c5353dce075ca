/* SPDX-License-Identifier: MIT */

/* Three parts, each ended by a newline: the trusted proxies' rules, separated by blanks; the peer's address,
 * empty for a unix peer; and X-Forwarded-For, as long as the input is. */

#include <string.h>

#include "base/buf.h"
#include "core/cidr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

/* An address that came out can be shown, and what is shown is that address. */
static void check_address(const Address *a) {
        char shown[ADDRESS_STRING_MAX];
        Address b;

        address_format(a, shown);
        check(address_parse(shown, &b) == 0 && memcmp(a, &b, sizeof(b)) == 0);
}

/* Whatever a client writes to the left of what was there changes nothing, unless all of it was ours. */
static void check_spoofing(const CidrSet *trusted, const Address *peer, const char *forwarded, int r,
                           const Address *client) {
        static const char *const lies[] = { "127.0.0.1", "nonsense", "", "[::1]:80" };

        for (size_t i = 0; i < ELEMENTSOF(lies); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                Address other;

                check(buf_printf(&b, "%s, %s", lies[i], forwarded) == 0);
                if (r == CIDR_E_MALFORMED)
                        check(cidr_client_address(trusted, peer, buf_cstr(&b), &other) == CIDR_E_MALFORMED);
                else if (r == 0 && !cidr_set_match(trusted, client)) {
                        check(cidr_client_address(trusted, peer, buf_cstr(&b), &other) == 0);
                        check(memcmp(client, &other, sizeof(other)) == 0);
                }
        }
}

static void run(char *rules, char *peer_text, const char *forwarded) {
        _cleanup_(cidr_set_done) CidrSet trusted = {};
        bool is_unix = *peer_text == 0, is_trusted;
        Address peer, client;
        char *rule;
        int r;

        while ((rule = strsep(&rules, " ")))
                if (cidr_set_add(&trusted, rule) == 0)
                        check(strcmp(trusted.rules[trusted.n - 1].text, rule) == 0);
        if (!is_unix && address_parse(peer_text, &peer) < 0)
                return;

        is_trusted = is_unix ? cidr_set_match_unix(&trusted) : cidr_set_match(&trusted, &peer) != NULL;
        r = cidr_client_address(&trusted, is_unix ? NULL : &peer, forwarded, &client);
        if (r == 0)
                check_address(&client);
        if (is_trusted)
                check(r == 0 || r == CIDR_E_MALFORMED);
        else if (is_unix)
                check(r == CIDR_E_UNIX);
        else
                check(r == 0 && memcmp(&client, &peer, sizeof(peer)) == 0);
        check_spoofing(&trusted, is_unix ? NULL : &peer, forwarded, r, &client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = NULL;
        char *peer, *forwarded;

        if (size > 1 << 16)
                return 0;
        text = malloc(size + 1);
        check(text);
        memcpy(text, data, size);
        text[size] = 0;

        peer = strchr(text, '\n');
        if (!peer)
                return 0;
        *peer++ = 0;
        forwarded = strchr(peer, '\n');
        if (!forwarded)
                return 0;
        *forwarded++ = 0;
        run(text, peer, forwarded);
        return 0;
}
