/* SPDX-License-Identifier: MIT */

/*
 * The tables. Times are microseconds since 1970, 0 for never; `day` is the beginning of the day that
 * `today` counts. A breaker is three columns, all from the later row. A probe that is under way is
 * not stored, as its result is not known.
 *
 * A key is a blob, its keyed digest. A project is a text, its name in the configuration, or a blob, the
 * digest of the key that is its own project: the two cannot be mistaken for each other.
 *
 * A new table gets its description here, and a line in each of the two lists of functions (save.c,
 * restore.c); the store creates it if it is missing. A column's merge kind must match restore.c: a test
 * compares the two.
 */

#include "pool/state/schema.h"

#define NAME      (ROW_TEXT | ROW_NULL)
#define PROJECT   (ROW_TEXT | ROW_BLOB)
#define BY(name, types)      { name, types, ROW_KEY }
#define SUM(name)            { name, ROW_INT, ROW_SUM }
#define MOST(name)           { name, ROW_INT, ROW_MAX }
#define LATEST(name, types)  { name, types, ROW_LATEST }

/* As pool/state/days.h counts them: POOL_COUNTERS_N columns. */
#define COUNTERS                                                                                            \
        SUM("total"), { "today", ROW_INT, ROW_PERIOD_SUM }, { "day", ROW_INT, ROW_PERIOD }, SUM("errors"),  \
                SUM("tokens_in"), SUM("tokens_out"), MOST("last_used")
#define BREAKER(prefix)                                                                                     \
        LATEST(prefix "until", ROW_INT), LATEST(prefix "since", ROW_INT), LATEST(prefix "strikes", ROW_INT)
#define CEILING(prefix)                                                                                     \
        LATEST(prefix "learned", ROW_INT), MOST(prefix "learned_at"), LATEST(prefix "guessed", ROW_INT)

const RowColumn pool_counter_columns[] = { COUNTERS };

static const RowColumn meta[] = { BY("name", ROW_TEXT), LATEST("value", ROW_BLOB) };

static const RowColumn total[] = { BY("name", ROW_TEXT), COUNTERS };

static const RowColumn client_total[] = {
        BY("name", ROW_TEXT),        SUM("total"), { "today", ROW_INT, ROW_PERIOD_SUM },
        { "day", ROW_INT, ROW_PERIOD }, MOST("last_used"),
};

static const RowColumn models[] = { BY("model", ROW_TEXT), COUNTERS, MOST("succeeded") };

/* The name is for people who look into the file. `configured` is the value of `disabled` in the
 * configuration when an administrator overrode it. */
static const RowColumn keys[] = {
        BY("key", ROW_BLOB),
        LATEST("name", NAME),
        LATEST("disabled", ROW_INT),
        LATEST("configured", ROW_INT),
        COUNTERS,
        BREAKER("dead_"),
};

static const RowColumn key_models[] = {
        BY("key", ROW_BLOB),
        BY("model", ROW_TEXT),
        COUNTERS,
        BREAKER("throttle_"),
        BREAKER("health_"),
        LATEST("errors_in_row", ROW_INT),
        LATEST("last_error", NAME),
};

static const RowColumn projects[] = { BY("project", PROJECT), BREAKER(""), LATEST("billing", ROW_INT) };

static const RowColumn quotas[] = {
        BY("project", PROJECT),
        BY("model", ROW_TEXT),
        BREAKER(""),
        LATEST("closed", ROW_INT),
        LATEST("daily", ROW_INT),
};

/* Why a breaker is open: of a key ("key"), a project ("project") or a quota ("quota", which has a model).
 * And when the last error of a key with a model ("slot") was: its text is in key_models. */
static const RowColumn errors[] = {
        BY("owner", PROJECT),
        BY("model", ROW_TEXT),
        BY("layer", ROW_TEXT),
        LATEST("error", NAME),
        LATEST("at", ROW_INT),
};

static const RowColumn aliases[] = { BY("model", ROW_TEXT), LATEST("counted_as", ROW_TEXT) };

static const RowColumn missing_models[] = { BY("model", ROW_TEXT), LATEST("times", ROW_INT) };

static const RowColumn key_projects[] = { BY("key", ROW_BLOB), LATEST("project", ROW_TEXT) };

/* Buckets that share a quota have a row each, with the same values. */
static const RowColumn ceilings[] = {
        BY("project", PROJECT),
        BY("model", ROW_TEXT),
        CEILING("rpm_"),
        CEILING("tpm_"),
        CEILING("rpd_"),
        { "today", ROW_INT, ROW_PERIOD_SUM },
        { "day", ROW_INT, ROW_PERIOD },
        MOST("warned"),
};

/* The owner is the keyed digest of a token's digest. */
static const RowColumn bindings[] = {
        BY("name", ROW_TEXT),
        LATEST("project", PROJECT),
        LATEST("owner", ROW_BLOB),
        LATEST("expires", ROW_INT),
        LATEST("upstream", NAME),
};

static const RowColumn days[] = {
        BY("date", ROW_INT), BY("model", ROW_TEXT), SUM("requests"),
        SUM("errors"),       SUM("tokens_in"),      SUM("tokens_out"),
};

/* Beside `days`, because an older gemgate leaves out a table that it does not have, but not a column. */
static const RowColumn client_days[] = { BY("date", ROW_INT), SUM("requests") };

static const RowTable tables[_POOL_TABLE_MAX] = {
        [POOL_META]         = { "meta", meta, ELEMENTSOF(meta) },
        [POOL_TOTAL]        = { "total", total, ELEMENTSOF(total) },
        [POOL_CLIENT_TOTAL] = { "client_total", client_total, ELEMENTSOF(client_total) },
        [POOL_MODELS]       = { "models", models, ELEMENTSOF(models) },
        [POOL_ALIASES]      = { "aliases", aliases, ELEMENTSOF(aliases) },
        [POOL_MISSING_MODELS] = { "missing_models", missing_models, ELEMENTSOF(missing_models) },
        [POOL_KEYS]         = { "keys", keys, ELEMENTSOF(keys) },
        [POOL_KEY_PROJECTS] = { "key_projects", key_projects, ELEMENTSOF(key_projects) },
        [POOL_KEY_MODELS]   = { "key_models", key_models, ELEMENTSOF(key_models) },
        [POOL_PROJECTS]     = { "projects", projects, ELEMENTSOF(projects) },
        [POOL_QUOTAS]       = { "quotas", quotas, ELEMENTSOF(quotas) },
        [POOL_ERRORS]       = { "errors", errors, ELEMENTSOF(errors) },
        [POOL_CEILINGS]     = { "ceilings", ceilings, ELEMENTSOF(ceilings) },
        [POOL_BINDINGS]     = { "bindings", bindings, ELEMENTSOF(bindings), .also_by = 1 },
        [POOL_DAYS]         = { "days", days, ELEMENTSOF(days) },
        [POOL_CLIENT_DAYS]  = { "client_days", client_days, ELEMENTSOF(client_days) },
};

const RowSchema pool_schema = { tables, _POOL_TABLE_MAX };
