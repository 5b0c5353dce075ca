/* SPDX-License-Identifier: MIT */
#pragma once

/* Client and admin tokens. The time of a comparison does not depend on the content. A token in both lists is
 * an admin token. */

#include "base/limits.h"
#include "base/secret.h"

typedef enum TokenRight {
        TOKEN_NONE,
        TOKEN_CLIENT, /* /v1, /v1beta, /run-gemini */
        TOKEN_ADMIN,  /* all routes */
} TokenRight;

typedef struct Token {
        Secret *secret;
        char *name; /* or NULL */
        TokenRight right;
        char mask[SECRET_MASK_MAX];
        uint64_t id; /* the same after a reload; of its digest, so it reveals nothing */
} Token;

typedef struct TokenSet {
        Token *tokens;
        size_t n;
        size_t n_client, n_admin; /* as configured: a token in both lists counts twice */
        uint16_t *by_secret, *by_name; /* see token.c; NULL: there are no tokens */
} TokenSet;

/* Takes its own reference. A token that is there already gets the higher right, and the name if it had none;
 * then 0. -E2BIG, -ENOMEM. */
int token_set_add(TokenSet *s, Secret *secret, const char *name, TokenRight right);
void token_set_done(TokenSet *s);

/* The token with this secret, or with this name; or NULL. Not for access: the time depends on the content,
 * but not on the number of tokens. */
const Token *token_set_get(const TokenSet *s, const Secret *secret);
const Token *token_set_named(const TokenSet *s, const char *name);
bool token_set_has(const TokenSet *s, const char *text, size_t n); /* one with this secret; the same */

/* Covers, in place, words of at least so many characters that are tokens. */
void token_set_cover(const TokenSet *s, size_t least, char *text);

/* The token that a client presented, or NULL. Compares with every token, so that the time reveals neither
 * how much of a guess is right nor which token it is. Valid until the next token_set_add(). */
const Token *token_set_find(const TokenSet *s, const char *presented, size_t n);
