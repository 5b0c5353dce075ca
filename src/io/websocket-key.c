/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/text.h"
#include "io/websocket-key.h"

#define KEY_BYTES 16U
#define SHA1_BYTES 20U

static int to_text(const uint8_t *p, size_t n, char *ret, size_t n_ret) {
        _cleanup_buf_ Buf b = BUF_INIT(n_ret);
        int r;

        r = base64_append(&b, p, n);
        if (r < 0)
                return r;
        assert(b.n == n_ret);
        memcpy(ret, buf_data(&b), n_ret);
        ret[n_ret] = 0;
        return 0;
}

/* 22 letters and the padding. */
bool websocket_key_is_valid(const char *key) {
        if (strlen(key) != WEBSOCKET_KEY_LENGTH || !streq(key + WEBSOCKET_KEY_LENGTH - 2, "=="))
                return false;
        for (size_t i = 0; i < WEBSOCKET_KEY_LENGTH - 2; i++)
                if (base64_value((unsigned char) key[i]) < 0)
                        return false;
        return true;
}

int websocket_key_new(char ret[static WEBSOCKET_KEY_LENGTH + 1]) {
        uint8_t key[KEY_BYTES];

        if (getrandom(key, sizeof(key), 0) != sizeof(key))
                return -EIO;
        return to_text(key, sizeof(key), ret, WEBSOCKET_KEY_LENGTH);
}

/* By EVP: what a site forbids (SHA-1 in FIPS mode) is an error, and no abort. */
int websocket_key_accept(const char *key, char ret[static WEBSOCKET_ACCEPT_LENGTH + 1]) {
        static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
        char text[WEBSOCKET_KEY_LENGTH + sizeof(guid)];
        uint8_t digest[SHA1_BYTES];
        unsigned n = 0;

        assert(strlen(key) == WEBSOCKET_KEY_LENGTH);
        memcpy(text, key, WEBSOCKET_KEY_LENGTH);
        memcpy(text + WEBSOCKET_KEY_LENGTH, guid, sizeof(guid));
        if (EVP_Digest(text, sizeof(text) - 1, digest, &n, EVP_sha1(), NULL) != 1 || n != sizeof(digest))
                return -EIO;
        return to_text(digest, sizeof(digest), ret, WEBSOCKET_ACCEPT_LENGTH);
}

bool websocket_list_has(const char *list, const char *token) {
        size_t n_token = strlen(token);

        while (*list) {
                const char *begin = list + strspn(list, " \t,");
                size_t n = strcspn(begin, ","), all = n;

                while (n > 0 && (begin[n - 1] == ' ' || begin[n - 1] == '\t'))
                        n--;
                if (n == n_token && strncasecmp(begin, token, n) == 0)
                        return true;
                list = begin + all;
        }
        return false;
}
