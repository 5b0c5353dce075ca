/* SPDX-License-Identifier: MIT */
#pragma once

/* Client and admin tokens. Comparison is constant in the content; a token in both lists is an admin's. */

#include "base/limits.h"
#include "base/secret.h"

typedef enum TokenRight {
        TOKEN_NONE,
        TOKEN_CLIENT, /* /v1, /v1beta, /run-gemini */
        TOKEN_ADMIN,  /* everything */
} TokenRight;

typedef struct Token {
        Secret *secret;
        char *name; /* or NULL */
        TokenRight right;
        char mask[SECRET_MASK_MAX];
} Token;

typedef struct TokenSet {
        Token *tokens;
        size_t n;
        size_t n_client, n_admin; /* as configured: a token in both lists counts in both */
} TokenSet;

/* Takes a reference of its own. Adding a token that is there already raises its right if the new one is
 * higher, gives it the name if it had none, and returns 0. -E2BIG, -ENOMEM. */
int token_set_add(TokenSet *s, Secret *secret, const char *name, TokenRight right);
void token_set_done(TokenSet *s);

/* The token that was presented, or NULL. Compares with every token of the set, so that the time tells
 * neither how much of a guess was right nor which token it was. Valid until the next token_set_add(). */
const Token *token_set_find(const TokenSet *s, const char *presented, size_t n);
