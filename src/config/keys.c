/* SPDX-License-Identifier: MIT */

/*
 * API_KEYS, ALLOWED_TOKENS and ADMIN_TOKENS. An entry is a secret, or an object with the secret and its
 * attributes. A message about an entry names its number and, once it is a Secret, its mask; never its bytes.
 */

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/internal.h"

#define NAME_MAX_LENGTH    64U /* of a key, token or project; it appears in logs and on the bus */
#define TOKEN_LENGTH_LEAST 8U /* without a warning */
#define GOOGLE_KEY_LEAST   30U /* no key of Google's is shorter */
#define TOKEN_LENGTH_EXPOSED 16U /* beyond loopback, where others can try tokens */

typedef struct KeyEntry {
        Secret *secret;
        const char *name, *project; /* borrowed from the JSON */
        Proxy *proxy;
        bool disabled;
        char shown[64];
} KeyEntry;

/* The form of one setting's entries. */
typedef struct EntryForm {
        const char *noun;     /* "key", "token": also the member that holds the secret */
        const char *upper;
        bool has_key_members; /* project, proxy, disabled */
        const char *allowed;  /* of an object */
        void (*mask)(const Secret *s, char ret[static SECRET_MASK_MAX]);
} EntryForm;

static const EntryForm key_form = { "key", "KEY", true, "{key, name?, project?, proxy?, disabled?}",
                                    secret_mask_key };
static const EntryForm token_form = { "token", "TOKEN", false, "{token, name?}", secret_mask_token };

static void entry_done(KeyEntry *e) {
        secret_unref(e->secret);
        proxy_unref(e->proxy);
}

bool config_label_is_valid(const char *s, size_t n) {
        if (n == 0 || n > NAME_MAX_LENGTH || !text_is_utf8(s, n))
                return false;
        for (size_t i = 0; i < n; i++)
                if ((unsigned char) s[i] < 0x20 || s[i] == 0x7f)
                        return false;
        return true;
}

/* As web pages show a key. */
static bool is_shortened(const char *text, size_t n) {
        return memmem(text, n, "…", strlen("…")) || (n > 3 && memcmp(text + n - 3, "...", 3) == 0);
}

/* What may be NAME=KEY is a key or token itself, since it may hold any character; but not if the end is
 * one of Google's keys. */
static bool has_name(const char *text, size_t n, bool *ret_sure) {
        const char *eq = memchr(text, '=', n), *value;
        size_t rest;

        if (!eq || eq == text || eq + 1 == text + n || eq[1] == '=')
                return false;
        value = eq + 1;
        rest = n - (size_t) (value - text);
        *ret_sure = (rest > 4 && memcmp(value, "AIza", 4) == 0) ||
                    (rest > 3 && memcmp(value, "AQ.", 3) == 0);
        return true;
}

static int check_secret(ConfigCheck *k, const Setting *s, const EntryForm *form, const char *text, size_t n,
                        const KeyEntry *e) {
        bool sure;

        if (is_shortened(text, n))
                config_fault(k, s, e->shown, "must be the whole %s, without … at its end", form->noun);
        else if (!has_name(text, n, &sure))
                return 0;
        else if (sure)
                config_fault(k, s, e->shown, "must be NAME = %s, with blanks around the =", form->upper);
        else {
                config_warn(k, s, e->shown, "should have blanks around the =, if it is NAME = %s",
                            form->upper);
                return 0;
        }
        return -EINVAL;
}

static int set_secret(ConfigCheck *k, const Setting *s, const EntryForm *form, const char *text, size_t n,
                      KeyEntry *e) {
        char mask[SECRET_MASK_MAX];
        int r;

        if (check_secret(k, s, form, text, n, e) < 0)
                return 0;
        r = secret_new(text, n, &e->secret);
        if (r == -EINVAL) {
                config_fault(k, s, e->shown, "must be 1 to %u printable ASCII characters without blanks",
                             SECRET_LENGTH_MAX);
                return 0;
        }
        if (r < 0)
                return r;
        for (size_t i = 0; config_examples[i]; i++)
                if (secret_equal(e->secret, config_examples[i], strlen(config_examples[i]))) {
                        config_fault(k, s, e->shown,
                                     "must be a %s of yours, not the example of .env.example",
                                     form->noun);
                        e->secret = secret_unref(e->secret);
                        return 0;
                }
        form->mask(e->secret, mask);
        (void) snprintf(e->shown + strlen(e->shown), sizeof(e->shown) - strlen(e->shown), " (%s)", mask);
        return 0;
}

/* Labels are shown everywhere, so a key in the place of one is refused. */
static void set_label(ConfigCheck *k, const Setting *s, const char *key, const char *text, size_t n,
                      KeyEntry *e) {
        char scrubbed[NAME_MAX_LENGTH + 1];

        if (!config_label_is_valid(text, n)) {
                config_fault(k, s, e->shown, "%s: must be 1 to %u characters", key, NAME_MAX_LENGTH);
                return;
        }
        text_copy(scrubbed, sizeof(scrubbed), text);
        secret_scrub(scrubbed, NULL);
        if (!streq(scrubbed, text) || secret_equal(e->secret, text, n))
                config_fault(k, s, e->shown, "%s: must not be a key or token", key);
        else if (*key == 'n')
                e->name = text;
        else
                e->project = text;
}

static int set_proxy(ConfigCheck *k, const Setting *s, struct json_object *value, KeyEntry *e) {
        char shown[sizeof(e->shown) + 8];

        (void) snprintf(shown, sizeof(shown), "%s: proxy", e->shown);
        e->proxy = proxy_unref(e->proxy);
        return config_proxy(k, s, shown, strempty(json_object_get_string(value)),
                            json_object_is_type(value, json_type_string) ?
                                    (size_t) json_object_get_string_len(value) :
                                    0,
                            &e->proxy);
}

/* A member besides the secret: a label, a proxy, or a boolean. */
static int set_member(ConfigCheck *k, const Setting *s, const EntryForm *form, const char *key,
                       struct json_object *value, KeyEntry *e) {
        bool is_label = streq(key, "name") || (form->has_key_members && streq(key, "project"));

        if (is_label) {
                const char *text = json_object_get_string(value);
                bool is_text = json_object_is_type(value, json_type_string);

                set_label(k, s, key, text, is_text ? (size_t) json_object_get_string_len(value) : 0, e);
        } else if (form->has_key_members && streq(key, "proxy"))
                return set_proxy(k, s, value, e);
        else if (form->has_key_members && streq(key, "disabled")) {
                if (json_object_is_type(value, json_type_boolean))
                        e->disabled = json_object_get_boolean(value);
                else
                        config_fault(k, s, e->shown, "disabled: must be true or false");
        } else if (strlen(key) <= 32 && text_in_charset(key, strlen(key), "abcdefghijklmnopqrstuvwxyz_"))
                config_fault(k, s, e->shown, "unknown member %s: must be %s", key, form->allowed);
        else /* an unknown name may be anything, even the secret */
                config_fault(k, s, e->shown, "unknown member: must be %s", form->allowed);
        return 0;
}

/* Leaves e->secret NULL after a reported fault. */
static int entry_read(ConfigCheck *k, const Setting *s, const EntryForm *form, const ListEntry *from,
                      KeyEntry *e) {
        struct json_object *secret;
        int r;

        (void) snprintf(e->shown, sizeof(e->shown), "entry %zu", from->number);
        if (!from->object) {
                r = set_secret(k, s, form, from->text, from->n, e);
                if (r >= 0 && e->secret && from->label)
                        set_label(k, s, "name", from->label, strlen(from->label), e);
                return r;
        }

        if (!json_object_object_get_ex(from->object, form->noun, &secret) ||
            !json_object_is_type(secret, json_type_string)) {
                config_fault(k, s, e->shown, "an object without %s: must be %s", form->noun, form->allowed);
                return 0;
        }
        r = set_secret(k, s, form, json_object_get_string(secret),
                       (size_t) json_object_get_string_len(secret), e);
        if (r < 0 || !e->secret)
                return r;
        json_object_object_foreach(from->object, key, value) {
                if (!streq(key, form->noun)) {
                        r = set_member(k, s, form, key, value, e);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static void report_full(ConfigCheck *k, const Setting *s, const char *shown, unsigned most) {
        if (k->full != s)
                config_fault(k, s, shown, "must be at most %u %s", most,
                             s->type == &setting_keys ? "keys" : "tokens");
        k->full = s;
}

/* --- keys --- */

static int add_key(ConfigCheck *k, const Setting *s, const ListEntry *from) {
        _cleanup_free_ char *name = NULL, *project = NULL;
        _cleanup_(entry_done) KeyEntry e = {};
        Config *c = k->config;
        KeyConfig *keys;
        int r;

        r = entry_read(k, s, &key_form, from, &e);
        if (r < 0 || !e.secret)
                return r;
        if (c->n_keys >= KEYS_MAX) {
                report_full(k, s, e.shown, KEYS_MAX);
                return 0;
        }
        name = e.name ? strdup(e.name) : NULL;
        project = e.project ? strdup(e.project) : NULL;
        if ((e.name && !name) || (e.project && !project))
                return -ENOMEM;

        /* Grows to powers of two: there may be a hundred thousand keys. */
        if ((c->n_keys & (c->n_keys - 1)) == 0) {
                keys = reallocarray(c->keys, MAX(2 * c->n_keys, (size_t) 1), sizeof(KeyConfig));
                if (!keys)
                        return -ENOMEM;
                c->keys = keys;
        }
        c->keys[c->n_keys++] = (KeyConfig){
                .secret = TAKE_PTR(e.secret),
                .name = TAKE_PTR(name),
                .project = TAKE_PTR(project),
                .proxy = TAKE_PTR(e.proxy),
                .disabled = e.disabled,
        };
        return 0;
}

static int compare_secrets(const void *a, const void *b) {
        const KeyConfig *x = *(const KeyConfig *const *) a, *y = *(const KeyConfig *const *) b;

        /* Of two equal keys the one given first sorts first. */
        return secret_compare(x->secret, y->secret) ?: (x > y) - (x < y);
}

static int compare_names(const void *a, const void *b) {
        const KeyConfig *x = *(const KeyConfig *const *) a, *y = *(const KeyConfig *const *) b;

        return strcmp(strempty(x->name), strempty(y->name));
}

static void key_done(KeyConfig *key) {
        key->secret = secret_unref(key->secret);
        free(key->name);
        free(key->project);
        proxy_unref(key->proxy);
}

/* One of the two would decide about the road of its requests, and about its quota. */
static bool contradict(const KeyConfig *x, const KeyConfig *y) {
        return (x->proxy && y->proxy && proxy_compare(x->proxy, y->proxy) != 0) ||
               (x->project && y->project && !streq(x->project, y->project));
}

/* A key given twice counts once, with a warning. It is a fault if it has two proxies or projects, or if two
 * keys have one name. */
static int settle_keys(ConfigCheck *k, const Setting *s) {
        _cleanup_free_ KeyConfig **order = NULL;
        Config *c = k->config;
        char mask[SECRET_MASK_MAX];
        size_t n = 0;

        if (c->n_keys == 0)
                return 0;
        order = calloc(c->n_keys, sizeof(*order));
        if (!order)
                return -ENOMEM;

        for (size_t i = 0; i < c->n_keys; i++)
                order[i] = c->keys + i;
        qsort(order, c->n_keys, sizeof(*order), compare_secrets);
        for (size_t i = 0, first = 0; i < c->n_keys; i++)
                if (i > first && secret_compare(order[i]->secret, order[first]->secret) == 0) {
                        secret_mask_key(order[i]->secret, mask);
                        if (contradict(order[first], order[i]))
                                config_fault(k, s, mask, "must have one project and one proxy");
                        else
                                config_warn(k, s, mask, "is given twice and counts once");
                        key_done(order[i]);
                } else
                        first = i;
        for (size_t i = 0; i < c->n_keys; i++)
                if (c->keys[i].secret)
                        c->keys[n++] = c->keys[i];
        c->n_keys = n;

        for (size_t i = 0; i < c->n_keys; i++)
                order[i] = c->keys + i;
        qsort(order, c->n_keys, sizeof(*order), compare_names);
        for (size_t i = 1; i < c->n_keys; i++)
                if (order[i]->name && streq_ptr(order[i]->name, order[i - 1]->name))
                        config_fault(k, s, order[i]->name, "must be the name of only one key");
        return 0;
}

static int parse_keys(ConfigCheck *k, const Setting *s, const char *value) {
        int r;

        r = config_each_entry(k, s, value, add_key);
        if (r < 0)
                return r;
        return settle_keys(k, s);
}

const SettingType setting_keys = {
        "keys separated by commas or lines; or JSON: [KEY or {key, name?, project?, proxy?, "
        "disabled?}]",
        parse_keys,
};

/* --- tokens --- */

static int add_token(ConfigCheck *k, const Setting *s, const ListEntry *from, TokenRight right) {
        TokenSet *tokens = &k->config->tokens;
        _cleanup_(entry_done) KeyEntry e = {};
        const Token *same, *named;
        int r;

        r = entry_read(k, s, &token_form, from, &e);
        if (r < 0 || !e.secret)
                return r;

        if (secret_length(e.secret) < TOKEN_LENGTH_LEAST)
                config_warn(k, s, e.shown, "is easy to guess: should have at least %u characters",
                            TOKEN_LENGTH_LEAST);
        same = token_set_get(tokens, e.secret);
        named = e.name ? token_set_named(tokens, e.name) : NULL;
        if (same && same->right == right) { /* in both lists it is no mistake: it is an admin token */
                config_warn(k, s, e.shown, "is given twice and counts once");
                return 0;
        }
        if (named && named != same) {
                config_fault(k, s, e.name, "must be the name of only one token");
                return 0;
        }
        r = token_set_add(tokens, e.secret, e.name, right);
        if (r == -E2BIG) {
                report_full(k, s, e.shown, TOKENS_MAX);
                return 0;
        }
        return r;
}

static int add_client_token(ConfigCheck *k, const Setting *s, const ListEntry *from) {
        return add_token(k, s, from, TOKEN_CLIENT);
}

static int add_admin_token(ConfigCheck *k, const Setting *s, const ListEntry *from) {
        return add_token(k, s, from, TOKEN_ADMIN);
}

static int parse_tokens(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_entry(k, s, value, add_client_token);
}

static int parse_admin_tokens(ConfigCheck *k, const Setting *s, const char *value) {
        return config_each_entry(k, s, value, add_admin_token);
}

#define TOKENS_ALLOWED "tokens separated by commas or lines, or a JSON array of tokens or {token, name?}"

const SettingType setting_tokens = { TOKENS_ALLOWED, parse_tokens };
const SettingType setting_admin_tokens = { TOKENS_ALLOWED, parse_admin_tokens };

static const char *name_of(const Token *t) {
        return t->right == TOKEN_ADMIN ? "ADMIN_TOKENS" : "ALLOWED_TOKENS";
}

/* The next token that can be guessed through a network; NULL: there is none. */
static const Token *next_short(const TokenSet *tokens, size_t *i) {
        while (*i < tokens->n) {
                const Token *t = tokens->tokens + (*i)++;

                if (secret_length(t->secret) < TOKEN_LENGTH_EXPOSED)
                        return t;
        }
        return NULL;
}

void config_check_exposed(ConfigCheck *k) {
        const TokenSet *tokens = &k->config->tokens;
        char mask[SECRET_MASK_MAX];
        const Token *t;
        size_t i = 0;

        if (tokens->n_client == 0 && !k->faulty[config_setting("ALLOWED_TOKENS") - config_settings])
                config_fault(k, config_setting("ALLOWED_TOKENS"), NULL,
                             "none: must be at least one token, because LISTEN goes beyond loopback");
        while ((t = next_short(tokens, &i))) {
                secret_mask_token(t->secret, mask);
                config_fault(k, config_setting(name_of(t)), mask,
                             "must have at least %u characters, because LISTEN goes beyond loopback",
                             TOKEN_LENGTH_EXPOSED);
        }
}

const char *config_token_warning(const Config *c) {
        return c->n_keys == 0 || c->tokens.n > 0 ?
                       NULL :
                       "ALLOWED_TOKENS: no token is set, so every request of a client gets a 401";
}

bool config_refuses(const Config *c, const char *listener, char ret[static CONFIG_REFUSAL_MAX]) {
        char mask[SECRET_MASK_MAX];
        const Token *t;
        size_t i = 0;

        if (c->tokens.n_client == 0) {
                (void) snprintf(ret, CONFIG_REFUSAL_MAX,
                                "ALLOWED_TOKENS: none: must be at least one client token, because %.128s is "
                                "beyond loopback", listener);
                return true;
        }
        t = next_short(&c->tokens, &i);
        if (!t)
                return false;
        secret_mask_token(t->secret, mask);
        (void) snprintf(ret, CONFIG_REFUSAL_MAX,
                        "%s: %s: must have at least %u characters, because %.128s is beyond loopback",
                        name_of(t), mask, TOKEN_LENGTH_EXPOSED, listener);
        return true;
}

static int compare_tokens(const void *a, const void *b) {
        const Token *x = *(const Token *const *) a, *y = *(const Token *const *) b;

        return secret_compare(x->secret, y->secret);
}

/* There are a few tokens, and perhaps many keys: each key is looked up among the sorted tokens. */
int config_check_tokens(ConfigCheck *k) {
        const TokenSet *tokens = &k->config->tokens;
        _cleanup_free_ const Token **order = calloc(MAX(tokens->n, (size_t) 1), sizeof(*order));
        _cleanup_free_ bool *is_key = calloc(MAX(tokens->n, (size_t) 1), sizeof(bool));
        char mask[SECRET_MASK_MAX];

        if (!order || !is_key)
                return -ENOMEM;
        for (size_t i = 0; i < tokens->n; i++)
                order[i] = tokens->tokens + i;
        qsort(order, tokens->n, sizeof(*order), compare_tokens);
        for (size_t i = 0; i < k->config->n_keys; i++) {
                const Token like = { .secret = k->config->keys[i].secret }, *p = &like;
                const Token *const *found = bsearch(&p, order, tokens->n, sizeof(*order), compare_tokens);

                if (!found)
                        continue;
                is_key[*found - tokens->tokens] = true;
                secret_mask_key(like.secret, mask);
                config_fault(k, config_setting(name_of(*found)), mask,
                             "must differ from the API keys, because a client with this token could use the "
                             "key elsewhere");
        }
        for (size_t i = 0; i < tokens->n; i++) {
                const Token *t = tokens->tokens + i;

                if (is_key[i] || secret_length(t->secret) < GOOGLE_KEY_LEAST ||
                    (!secret_starts_with(t->secret, "AIza") && !secret_starts_with(t->secret, "AQ.")))
                        continue;
                secret_mask_key(t->secret, mask);
                config_warn(k, config_setting(name_of(t)), mask,
                            "looks like a Gemini API key: should be in API_KEYS, and a token be a text of "
                            "your own");
        }
        return 0;
}
