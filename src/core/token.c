/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "core/digest.h"
#include "core/token.h"

static Token *token_of(TokenSet *s, const Secret *secret) {
        for (size_t i = 0; i < s->n; i++)
                if (secret_compare(s->tokens[i].secret, secret) == 0)
                        return s->tokens + i;
        return NULL;
}

static int token_set_append(TokenSet *s, Secret *secret, char *name, TokenRight right) {
        uint8_t digest[DIGEST_KEYED_SIZE];
        Token *tokens;
        int r;

        if (s->n >= TOKENS_MAX)
                return -E2BIG;
        r = digest_secret_bytes(secret, digest);
        if (r < 0)
                return r;
        tokens = reallocarray(s->tokens, s->n + 1, sizeof(Token));
        if (!tokens)
                return -ENOMEM;
        s->tokens = tokens;
        tokens += s->n++;
        *tokens = (Token){ .secret = secret_ref(secret), .name = name, .right = right };
        secret_mask_token(secret, tokens->mask);
        memcpy(&tokens->id, digest, sizeof(tokens->id));
        return 0;
}

int token_set_add(TokenSet *s, Secret *secret, const char *name, TokenRight right) {
        _cleanup_free_ char *copy = NULL;
        Token *t = token_of(s, secret);
        int r;

        if (name) {
                copy = strdup(name);
                if (!copy)
                        return -ENOMEM;
        }
        if (t) {
                t->right = MAX(t->right, right);
                if (!t->name)
                        t->name = TAKE_PTR(copy);
        } else {
                r = token_set_append(s, secret, copy, right);
                if (r < 0)
                        return r;
                copy = NULL;
        }

        if (right == TOKEN_ADMIN)
                s->n_admin++;
        else
                s->n_client++;
        return 0;
}

void token_set_done(TokenSet *s) {
        for (size_t i = 0; i < s->n; i++) {
                secret_unref(s->tokens[i].secret);
                free(s->tokens[i].name);
        }
        free(s->tokens);
        *s = (TokenSet){};
}

const Token *token_set_find(const TokenSet *s, const char *presented, size_t n) {
        const Token *found = NULL;

        for (size_t i = 0; i < s->n; i++)
                if (secret_equal(s->tokens[i].secret, presented, n))
                        found = s->tokens + i;
        return found;
}
