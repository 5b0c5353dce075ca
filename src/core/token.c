/* SPDX-License-Identifier: MIT */

/* A set has two hash tables with open addresses, from a secret and from a name to the place of the token, so
 * that a configuration with many tokens is read in time. What a client presents is not looked up in them:
 * token_set_find() takes the same time for each guess. */

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "core/digest.h"
#include "core/token.h"

#define SLOTS (2 * TOKENS_MAX) /* half of them are empty at least */

_Static_assert((SLOTS & (SLOTS - 1)) == 0 && TOKENS_MAX < UINT16_MAX, "a slot has a place plus one, or 0");

/* The slot of this secret or name, or the empty one where it would be. */
static uint16_t *slot_of_secret(const TokenSet *s, const Secret *secret) {
        size_t i = secret_hash(secret) & (SLOTS - 1);

        while (s->by_secret[i] && secret_compare(s->tokens[s->by_secret[i] - 1].secret, secret) != 0)
                i = (i + 1) & (SLOTS - 1);
        return s->by_secret + i;
}

static uint16_t *slot_of_name(const TokenSet *s, const char *name) {
        size_t i = hash_stable(name, strlen(name)) & (SLOTS - 1);

        while (s->by_name[i] && !streq(s->tokens[s->by_name[i] - 1].name, name))
                i = (i + 1) & (SLOTS - 1);
        return s->by_name + i;
}

static Token *in_slot(const TokenSet *s, const uint16_t *slot) {
        return *slot > 0 ? s->tokens + *slot - 1 : NULL;
}

static Token *token_of(const TokenSet *s, const Secret *secret) {
        return s->n > 0 ? in_slot(s, slot_of_secret(s, secret)) : NULL;
}

const Token *token_set_get(const TokenSet *s, const Secret *secret) {
        return token_of(s, secret);
}

bool token_set_has(const TokenSet *s, const char *text, size_t n) {
        size_t i = hash_stable(text, n) & (SLOTS - 1);

        if (s->n == 0)
                return false;
        while (s->by_secret[i] && !secret_equal(s->tokens[s->by_secret[i] - 1].secret, text, n))
                i = (i + 1) & (SLOTS - 1);
        return s->by_secret[i] > 0;
}

const Token *token_set_named(const TokenSet *s, const char *name) {
        return s->n > 0 ? in_slot(s, slot_of_name(s, name)) : NULL;
}

/* Of two tokens with one name the first one has it. */
static void enter_name(TokenSet *s, const Token *t) {
        uint16_t *slot = slot_of_name(s, t->name);

        if (!*slot)
                *slot = (uint16_t) (t - s->tokens + 1);
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
        if (!s->by_secret)
                s->by_secret = calloc(SLOTS, sizeof(uint16_t));
        if (!s->by_name)
                s->by_name = calloc(SLOTS, sizeof(uint16_t));
        if (!s->by_secret || !s->by_name)
                return -ENOMEM;
        if ((s->n & (s->n - 1)) == 0) { /* grows to powers of two */
                tokens = reallocarray(s->tokens, MAX(2 * s->n, (size_t) 1), sizeof(Token));
                if (!tokens)
                        return -ENOMEM;
                s->tokens = tokens;
        }
        *slot_of_secret(s, secret) = (uint16_t) (s->n + 1);
        tokens = s->tokens + s->n++;
        *tokens = (Token){ .secret = secret_ref(secret), .name = name, .right = right };
        secret_mask_token(secret, tokens->mask);
        memcpy(&tokens->id, digest, sizeof(tokens->id));
        if (name)
                enter_name(s, tokens);
        return 0;
}

static void cover_words(const TokenSet *s, size_t least, char *text, const char *separators) {
        for (char *p = text; *p; p += strspn(p, separators)) {
                size_t n = strcspn(p, separators);

                if (n >= least && n <= SECRET_LENGTH_MAX && token_set_has(s, p, n))
                        memset(p, '*', n);
                p += n;
        }
}

/* A token may itself have a character that separates others. */
void token_set_cover(const TokenSet *s, size_t least, char *text) {
        cover_words(s, least, text, " /`");
        cover_words(s, least, text, " /`'\":=&;,().");
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
                if (!t->name && copy) {
                        t->name = TAKE_PTR(copy);
                        enter_name(s, t);
                }
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
        free(s->by_secret);
        free(s->by_name);
        *s = (TokenSet){};
}

const Token *token_set_find(const TokenSet *s, const char *presented, size_t n) {
        const Token *found = NULL;

        for (size_t i = 0; i < s->n; i++)
                if (secret_equal(s->tokens[i].secret, presented, n))
                        found = s->tokens + i;
        return found;
}
