/* SPDX-License-Identifier: MIT */

/*
 * The tables. Times are microseconds since 1970, 0 for never; `day` is the beginning of the day that `today`
 * counts. A breaker is three columns; what a probe that is out will say is not known, so it is not kept.
 *
 * A key is a blob, its keyed digest. A project is a text, its name in the configuration, or a blob, the
 * digest of the key that is its own project: the two cannot be mistaken for each other.
 *
 * Who adds a table adds it here, and a line in each of the two lists of functions (pool/state/save.c,
 * pool/state/restore.c); the store makes it where it is missing.
 */

#include "pool/state/schema.h"

#define NAME     (ROW_TEXT | ROW_NULL)
#define PROJECT  (ROW_TEXT | ROW_BLOB)
#define COUNTERS                                                                                            \
        { "total", ROW_INT }, { "today", ROW_INT }, { "day", ROW_INT }, { "errors", ROW_INT },              \
                { "tokens_in", ROW_INT }, { "tokens_out", ROW_INT }, { "last_used", ROW_INT }
#define BREAKER(prefix)                                                                                     \
        { prefix "until", ROW_INT }, { prefix "since", ROW_INT }, { prefix "strikes", ROW_INT }
#define CEILING(prefix)                                                                                     \
        { prefix "learned", ROW_INT }, { prefix "learned_at", ROW_INT }, { prefix "guessed", ROW_INT }

static const RowColumn meta[] = { { "name", ROW_TEXT }, { "value", ROW_BLOB } };

static const RowColumn total[] = { { "name", ROW_TEXT }, COUNTERS };

static const RowColumn models[] = { { "model", ROW_TEXT }, COUNTERS, { "succeeded", ROW_INT } };

/* The name is for people who look into the file; `configured` is what the configuration said of `disabled`
 * when somebody wanted it otherwise. */
static const RowColumn keys[] = {
        { "key", ROW_BLOB }, { "name", NAME }, { "disabled", ROW_INT }, { "configured", ROW_INT },
        COUNTERS,            BREAKER("dead_"),
};

static const RowColumn key_models[] = {
        { "key", ROW_BLOB },  { "model", ROW_TEXT },        COUNTERS, BREAKER("throttle_"),
        BREAKER("health_"),   { "errors_in_row", ROW_INT }, { "last_error", NAME },
};

static const RowColumn projects[] = { { "project", PROJECT }, BREAKER(""), { "billing", ROW_INT } };

static const RowColumn quotas[] = {
        { "project", PROJECT },  { "model", ROW_TEXT },  BREAKER(""),
        { "closed", ROW_INT },   { "daily", ROW_INT },
};

static const RowColumn aliases[] = { { "model", ROW_TEXT }, { "counted_as", ROW_TEXT } };

static const RowColumn key_projects[] = { { "key", ROW_BLOB }, { "project", ROW_TEXT } };

/* Each bucket of a quota has a row of its own, of the same. */
static const RowColumn ceilings[] = {
        { "project", PROJECT },  { "model", ROW_TEXT },    CEILING("rpm_"),
        CEILING("tpm_"),         CEILING("rpd_"),          { "today", ROW_INT },
        { "day", ROW_INT },      { "warned", ROW_INT },
};

/* The owner is the keyed digest of a token's digest. */
static const RowColumn bindings[] = {
        { "name", ROW_TEXT },   { "project", PROJECT }, { "owner", ROW_BLOB },
        { "expires", ROW_INT }, { "upstream", NAME },
};

static const RowColumn days[] = {
        { "date", ROW_INT },   { "model", ROW_TEXT },    { "requests", ROW_INT },
        { "errors", ROW_INT }, { "tokens_in", ROW_INT }, { "tokens_out", ROW_INT },
};

static const RowTable tables[_POOL_TABLE_MAX] = {
        [POOL_META]         = { "meta", meta, ELEMENTSOF(meta), 1 },
        [POOL_TOTAL]        = { "total", total, ELEMENTSOF(total), 1 },
        [POOL_MODELS]       = { "models", models, ELEMENTSOF(models), 1 },
        [POOL_ALIASES]      = { "aliases", aliases, ELEMENTSOF(aliases), 1 },
        [POOL_KEYS]         = { "keys", keys, ELEMENTSOF(keys), 1 },
        [POOL_KEY_PROJECTS] = { "key_projects", key_projects, ELEMENTSOF(key_projects), 1 },
        [POOL_KEY_MODELS]   = { "key_models", key_models, ELEMENTSOF(key_models), 2 },
        [POOL_PROJECTS]     = { "projects", projects, ELEMENTSOF(projects), 1 },
        [POOL_QUOTAS]       = { "quotas", quotas, ELEMENTSOF(quotas), 2 },
        [POOL_CEILINGS]     = { "ceilings", ceilings, ELEMENTSOF(ceilings), 2 },
        [POOL_BINDINGS]     = { "bindings", bindings, ELEMENTSOF(bindings), 1 },
        [POOL_DAYS]         = { "days", days, ELEMENTSOF(days), 2 },
};

const RowSchema pool_schema = {
        .application_id = 0x676d6774, /* "gmgt" */
        .version = 1,
        .tables = tables,
        .n_tables = _POOL_TABLE_MAX,
};
