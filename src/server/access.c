/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "server/access.h"
#include "server/files/resource.h"
#include "server/http.h"

#define FORWARDED_MAX 4096U /* bytes of all X-Forwarded-For headers; a longer chain is refused */

static bool check_address(Request *q, bool open, ApiError *ret) {
        const Config *config = q->config;
        _cleanup_buf_ Buf forwarded = BUF_INIT(FORWARDED_MAX);
        const struct sockaddr *sa = http_request_peer(q->io);
        char shown[ADDRESS_STRING_MAX];
        Address peer;
        int r;

        if (sa) {
                r = address_from_sockaddr(sa, &peer);
                if (r < 0) {
                        api_error_set(ret, 403, NULL,
                                      "The connection has no address that could be checked.");
                        return open;
                }
        }
        r = http_request_header_joined(q->io, "X-Forwarded-For", &forwarded);
        if (r < 0 && r != -ENODATA)
                r = CIDR_E_MALFORMED;
        else
                r = cidr_client_address(&config->trusted_proxies, sa ? &peer : NULL,
                                        r == -ENODATA ? NULL : buf_cstr(&forwarded), &q->client);
        switch (r) {
        case CIDR_E_UNIX:
                q->client_unix = true;
                return true;
        case CIDR_E_MALFORMED:
                if (sa)
                        q->client = peer;
                q->client_unix = !sa;
                if (open)
                        return true;
                api_error_set(ret, 403, NULL,
                              "X-Forwarded-For of a trusted proxy is not a list of addresses.");
                q->refusal =
                        "this peer is in TRUSTED_PROXIES, and its X-Forwarded-For is no list of addresses";
                return false;
        }
        if (open || cidr_set_match(&config->allowed_ips, &q->client))
                return true;

        address_format(&q->client, shown);
        api_error_set(ret, 403, NULL, "Requests from %s are not allowed.", shown);
        q->refusal = "ALLOWED_IPS does not list this address";
        return false;
}

/* The tokens that the request presents: in four headers, each of which may be repeated, or as `?key=`. */
typedef struct Presented {
        const char *token; /* the first */
        char *decoded;     /* the first of the query, with escapes decoded */
        bool differ;       /* another one differs */
        bool other_scheme; /* an Authorization that is not Bearer */
} Presented;

static void presented_done(Presented *p) {
        if (p->decoded)
                explicit_bzero(p->decoded, strlen(p->decoded));
        free(p->decoded);
}

static void present_token(Presented *p, const char *token) {
        if (strnull(token))
                return;
        p->differ = p->differ || (p->token && !streq(p->token, token));
        if (!p->token)
                p->token = token;
}

/* NULL for another scheme. The scheme is case-insensitive; blanks around the token are ignored. */
static const char *bearer(const char *value) {
        if (strncasecmp(value, "Bearer", 6) != 0 || (value[6] != ' ' && value[6] != '\t'))
                return NULL;
        return value + 7 + strspn(value + 7, " \t");
}

static void present_header(const char *name, const char *value, void *userdata) {
        Presented *p = userdata;

        if (!value || ((*name | 0x20) != 'a' && (*name | 0x20) != 'x'))
                return;
        if (strcaseeq(name, "Authorization")) {
                value = bearer(value);
                p->other_scheme = p->other_scheme || !value;
        } else if (!strcaseeq(name, "x-api-key") && !strcaseeq(name, "x-goog-api-key") &&
                   !strcaseeq(name, "api-key")) /* Azure's, which OpenAI's SDKs can send */
                return;
        present_token(p, value);
}

/* A common form for Google's API, whose own arguments may have a `$` before their names. The query is never
 * passed on: not upstream, and not into a log or an error. */
static void present_argument(const char *name, const char *value, void *userdata) {
        static const char invalid[] = " "; /* no token has a blank */
        Presented *p = userdata;
        char *s;

        if (!value || !(streq(name, "key") || streq(name, "$key") || streq(name, "%24key")))
                return;
        s = strdup(value);
        if (!s || text_percent_decode(s) < 0)
                present_token(p, invalid);
        else
                present_token(p, s);
        if (p->token == s)
                p->decoded = TAKE_PTR(s);
        if (s)
                explicit_bzero(s, strlen(s));
        free(s);
}

static void read_presented(Request *q, Presented *ret) {
        http_request_each_header(q->io, present_header, ret);
        if (q->dialect && q->dialect->key_argument)
                http_request_each_argument(q->io, present_argument, ret);
}

static bool check_token(Request *q, const Route *route, ApiError *ret) {
        const Config *config = q->config;
        bool open = route && route->right == TOKEN_NONE;
        _cleanup_(presented_done) Presented presented = {};
        const char *token;

        read_presented(q, &presented);
        token = presented.token;
        if (presented.differ) {
                api_error_set(ret, 401, NULL, "Two tokens were presented, and they differ.");
                q->refusal = open ? NULL : "two different tokens";
                return open;
        }
        if (token)
                q->token = token_set_find(&config->tokens, token, strlen(token));
        else if (route && route->flags & ROUTE_UPLOAD_TOKEN && !presented.other_scheme)
                q->token = resource_upload_token(q);
        if (open)
                return true;

        if (route && route->right == TOKEN_ADMIN && config->tokens.n_admin == 0) {
                api_error_set(ret, 403, NULL,
                              "Management needs an admin token, and ADMIN_TOKENS is not set.");
                q->refusal = "ADMIN_TOKENS is not set";
                return false;
        }
        if (q->token || (!token && !presented.other_scheme && route && route->flags & ROUTE_GREETS))
                return true;
        q->refusal = token ? "the token is unknown" : "no token";
        if (token)
                api_error_set(ret, 401, NULL, "The token is not known here.%s",
                              startswith(token, "AIza") || startswith(token, "AQ.")
                                      ? " It looks like a Gemini API key; clients use one of ALLOWED_TOKENS."
                                      : "");
        else if (config->tokens.n == 0)
                api_error_set(ret, 401, NULL, "No client token is configured: set ALLOWED_TOKENS.");
        else if (presented.other_scheme)
                api_error_set(ret, 401, NULL, "The only Authorization taken is `Bearer TOKEN`.");
        else
                api_error_set(ret, 401, NULL,
                              "A token is needed: `Authorization: Bearer TOKEN`, or `x-api-key`, or "
                              "`x-goog-api-key`, or `api-key`.");
        return false;
}

bool access_welcomes(const Config *c, const struct sockaddr *peer) {
        Address a;

        if (!peer)
                return true;
        return address_from_sockaddr(peer, &a) >= 0 &&
               (cidr_set_match(&c->allowed_ips, &a) || cidr_set_match(&c->trusted_proxies, &a));
}

bool access_check(Request *q, const Route *route, ApiError *ret) {
        bool open = route && route->right == TOKEN_NONE;

        if (!check_address(q, open && !(route->flags & ROUTE_NOT_OPEN), ret) || !check_token(q, route, ret))
                return false;
        if (route && route->right == TOKEN_ADMIN && q->token->right < TOKEN_ADMIN) {
                api_error_set(ret, 403, NULL, "This needs an admin token (ADMIN_TOKENS).");
                q->refusal = "the token is not one of ADMIN_TOKENS";
                return false;
        }
        return true;
}

bool access_check_job(Request *q, const Route *route, ApiError *ret) {
        _cleanup_(presented_done) Presented presented = {};
        Job *job = NULL;

        q->client_unix = true;
        read_presented(q, &presented);
        if (presented.token && !presented.differ)
                job = job_find(q->http->p.jobs, presented.token, strlen(presented.token));
        if (!job) {
                api_error_set(ret, 401, NULL, "This listener is for jobs of the Gemini CLI alone.");
                return false;
        }
        if (!route || !(route->flags & ROUTE_OF_JOBS)) {
                api_error_set(ret, 404, NULL, "There is nothing else for a job of the Gemini CLI.");
                return false;
        }
        if (!job_admit(job)) {
                api_error_set(ret, 403, NULL, "The job has asked too often (%u times).", JOB_CALLS_MAX);
                return false;
        }
        q->job = job_ref(job);
        memcpy(q->id, job->id, sizeof(q->id)); /* the id of the job's client */
        return true;
}
