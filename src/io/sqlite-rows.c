/* SPDX-License-Identifier: MIT */

/* Rows and SQL: the statements that create, write and read a table are built from its description. */

#include <errno.h>

#include "base/limits-state.h"
#include "io/sqlite-internal.h"

static const char *declared(unsigned types) {
        switch (types & ~(unsigned) ROW_NULL) {
        case ROW_INT:
                return " INTEGER";
        case ROW_TEXT:
                return " TEXT";
        default:
                return " BLOB"; /* affinity BLOB: SQLite converts nothing */
        }
}

static void put_names(Buf *sql, const RowTable *t, unsigned n, bool with_types) {
        for (unsigned i = 0; i < n; i++)
                (void) buf_printf(sql, "%s\"%s\"%s", i > 0 ? ", " : "", t->columns[i].name,
                                  with_types ? declared(t->columns[i].types) : "");
}

static int make_index(sqlite3 *db, const RowTable *t, SqliteReport *report) {
        const char *column = t->columns[t->also_by].name;
        _cleanup_buf_ Buf sql = BUF_INIT(4096);

        (void) buf_printf(&sql, "CREATE INDEX IF NOT EXISTS \"%s_by_%s\" ON \"%s\" (\"%s\")", t->name,
                          column, t->name, column);
        return buf_cstr(&sql) ? sqlite_run(db, buf_cstr(&sql), report) : -ENOMEM;
}

int sqlite_make_table(sqlite3 *db, const RowTable *t, SqliteReport *report) {
        _cleanup_buf_ Buf sql = BUF_INIT(4096);
        int r;

        (void) buf_printf(&sql, "CREATE TABLE IF NOT EXISTS \"%s\" (", t->name);
        put_names(&sql, t, t->n_columns, true);
        (void) buf_puts(&sql, ", PRIMARY KEY (");
        put_names(&sql, t, row_n_key(t), false);
        (void) buf_puts(&sql, ")) WITHOUT ROWID");
        r = buf_cstr(&sql) ? sqlite_run(db, buf_cstr(&sql), report) : -ENOMEM;
        return r >= 0 && t->also_by > 0 ? make_index(db, t, report) : r;
}

int sqlite_prepare_put(sqlite3 *db, const RowTable *t, unsigned n, sqlite3_stmt **ret,
                       SqliteReport *report) {
        _cleanup_buf_ Buf sql = BUF_INIT(32768);
        int code;

        /* A conflict clause would do the same, but takes a third longer. */
        (void) buf_printf(&sql, "INSERT OR REPLACE INTO \"%s\" (", t->name);
        put_names(&sql, t, t->n_columns, false);
        (void) buf_puts(&sql, ") VALUES ");
        for (unsigned i = 0; i < n; i++)
                for (unsigned j = 0; j < t->n_columns; j++)
                        (void) buf_puts(&sql, j > 0 ? ", ?" : i > 0 ? "), (?" : "(?");
        (void) buf_putc(&sql, ')');
        if (!buf_cstr(&sql))
                return -ENOMEM;
        code = sqlite3_prepare_v3(db, buf_cstr(&sql), -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
        return code == SQLITE_OK ? 0 : sqlite_fail(db, code, report);
}

static void sqlite_freep(char **s) {
        sqlite3_free(*s);
}

/* --- writing --- */

/* `first` is the first value's parameter. */
static void bind(sqlite3_stmt *s, unsigned first, const Row *row) {
        for (unsigned i = 0; i < row->n; i++) {
                const RowValue *v = row->values + i;
                int at = (int) (first + i);

                switch (v->type) {
                case ROW_NULL:
                        (void) sqlite3_bind_null(s, at);
                        break;
                case ROW_INT:
                        (void) sqlite3_bind_int64(s, at, v->integer);
                        break;
                case ROW_TEXT:
                        (void) sqlite3_bind_text(s, at, v->data, (int) v->n, SQLITE_STATIC);
                        break;
                case ROW_BLOB:
                        (void) sqlite3_bind_blob(s, at, v->data, (int) v->n, SQLITE_STATIC);
                        break;
                }
        }
}

static int forget_rows(SqliteFile *f, const Row *row) {
        const RowTable *t = f->schema->tables + row->table;
        _cleanup_(statement_freep) sqlite3_stmt *s = NULL;
        _cleanup_(sqlite_freep) char *sql = NULL;
        int code;

        sql = sqlite3_mprintf("DELETE FROM \"%w\" WHERE \"%w\" %s ?", t->name, t->columns[row->column].name,
                              row->verb == ROW_FORGET_EQUAL ? "=" : "<");
        if (!sql)
                return SQLITE_NOMEM;
        code = sqlite3_prepare_v2(f->db, sql, -1, &s, NULL);
        if (code != SQLITE_OK)
                return code;
        bind(s, 1, row);
        return sqlite3_step(s);
}

static int run_put(sqlite3_stmt *s) {
        int code = sqlite3_step(s);

        (void) sqlite3_reset(s);
        return code;
}

/* Writes rows of one table from the first of `places` on, as many as one statement takes, and returns how
 * many. With one statement for each row, the statement would cost more than the row. */
static int put_rows(SqliteFile *f, const Rows *rows, const size_t *places, size_t n, const Row *first,
                    size_t *ret_done) {
        sqlite3_stmt *many = f->puts_many[first->table];
        size_t at;
        Row row;

        bind(many, 1, first);
        for (size_t i = 1; i < MIN(n, (size_t) SQLITE_PUTS); i++) {
                at = places[i];
                (void) rows_next(rows, &at, &row);
                if (row.verb != ROW_PUT || row.table != first->table)
                        break;
                bind(many, 1 + (unsigned) i * row.n, &row);
                if (i + 1 == SQLITE_PUTS) {
                        *ret_done = SQLITE_PUTS;
                        return run_put(many);
                }
        }
        *ret_done = 1;
        bind(f->puts[first->table], 1, first);
        return run_put(f->puts[first->table]);
}

static int write_places(SqliteFile *f, const Rows *rows, const size_t *places, size_t n) {
        for (size_t i = 0, done = 1; i < n; i += done) {
                size_t at = places[i];
                Row row;
                int code;

                (void) rows_next(rows, &at, &row);
                done = 1;
                if (row.verb == ROW_PUT)
                        code = put_rows(f, rows, places + i, n - i, &row, &done);
                else
                        code = forget_rows(f, &row);
                if (code != SQLITE_DONE)
                        return code;
        }
        return SQLITE_DONE;
}

int sqlite_file_write(SqliteFile *f, const Rows *rows, SqliteReport *report) {
        _cleanup_free_ size_t *places = NULL;
        int r, code;

        sqlite_end_find(f);
        r = rows_order(rows, &places);
        if (r < 0)
                return r;
        r = sqlite_run(f->db, "BEGIN IMMEDIATE", report);
        if (r < 0)
                return r;
        code = write_places(f, rows, places, rows->n);
        if (code != SQLITE_DONE)
                r = sqlite_fail(f->db, code, report);
        else
                r = sqlite_run(f->db, "COMMIT", report);
        if (r < 0)
                (void) sqlite_run(f->db, "ROLLBACK", NULL);
        return r;
}

/* --- reading --- */

static int read_value(sqlite3_stmt *s, int i, RowValue *ret) {
        switch (sqlite3_column_type(s, i)) {
        case SQLITE_INTEGER:
                *ret = (RowValue){ .type = ROW_INT, .integer = sqlite3_column_int64(s, i) };
                return 0;
        case SQLITE_TEXT:
                ret->type = ROW_TEXT;
                ret->data = (const char *) sqlite3_column_text(s, i);
                break;
        case SQLITE_BLOB:
                ret->type = ROW_BLOB;
                ret->data = sqlite3_column_blob(s, i) ?: "";
                break;
        default: /* NULL or a floating-point number: gemgate writes neither */
                *ret = (RowValue){ .type = ROW_NULL };
                return 0;
        }
        ret->n = (size_t) sqlite3_column_bytes(s, i);
        return ret->data ? 0 : -ENOMEM;
}

static int prepare_read(sqlite3 *db, const RowTable *t, const RowColumn *equal, sqlite3_stmt **ret,
                        SqliteReport *report) {
        _cleanup_buf_ Buf sql = BUF_INIT(4096);
        int code;

        (void) buf_puts(&sql, "SELECT ");
        put_names(&sql, t, t->n_columns, false);
        (void) buf_printf(&sql, " FROM \"%s\"", t->name);
        if (equal)
                (void) buf_printf(&sql, " WHERE \"%s\" = ?", equal->name);
        if (!buf_cstr(&sql))
                return -ENOMEM;
        code = sqlite3_prepare_v2(db, buf_cstr(&sql), -1, ret, NULL);
        return code == SQLITE_OK ? 0 : sqlite_fail(db, code, report);
}

static int read_row(sqlite3_stmt *s, const RowTable *t, RowValue values[static ROW_COLUMNS_MAX]) {
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < t->n_columns; i++)
                r = read_value(s, (int) i, values + i);
        return r;
}

static int read_table(sqlite3 *db, const RowTable *t, unsigned table, SqliteRowFn fn, void *userdata,
                      SqliteReport *report) {
        _cleanup_(statement_freep) sqlite3_stmt *s = NULL;
        int code, r;

        r = prepare_read(db, t, NULL, &s, report);
        if (r < 0)
                return r;
        while ((code = sqlite3_step(s)) == SQLITE_ROW) {
                RowValue values[ROW_COLUMNS_MAX];

                r = read_row(s, t, values);
                if (r >= 0)
                        r = fn(table, values, t->n_columns, userdata);
                if (r < 0)
                        return r;
        }
        return code == SQLITE_DONE ? 0 : sqlite_fail(db, code, report);
}

int sqlite_file_read(const char *path, const RowSchema *schema, SqliteRowFn fn, void *userdata,
                     SqliteReport *report) {
        _cleanup_(db_closep) sqlite3 *db = NULL;
        int r;

        r = sqlite_open(path, SQLITE_OPEN_READONLY, &db, report);
        for (unsigned i = 0; r >= 0 && i < schema->n_tables; i++)
                r = read_table(db, schema->tables + i, i, fn, userdata, report);
        return r;
}

/* --- finding --- */

void sqlite_end_find(SqliteFile *f) {
        (void) sqlite3_finalize(f->find.s);
        f->find.s = NULL;
        f->find.query = NULL;
        f->find.has_more = false;
}

/* The next of the query; the statement serves all that differ in the value alone. */
static int find_next(SqliteFile *f, SqliteReport *report) {
        Row *row = &f->find.row;
        unsigned verb = row->verb, table = row->table, column = row->column;
        const RowTable *t;
        int r = 0;

        (void) sqlite3_reset(f->find.s);
        if (!rows_next(f->find.query, &f->find.at, row))
                return 0;
        t = f->schema->tables + row->table;
        if (f->find.s && (row->verb != verb || row->table != table || row->column != column)) {
                (void) sqlite3_finalize(f->find.s);
                f->find.s = NULL;
        }
        if (!f->find.s)
                r = prepare_read(f->db, t, row->verb == ROW_FIND_EQUAL ? t->columns + row->column : NULL,
                                 &f->find.s, report);
        if (r < 0)
                return r;
        bind(f->find.s, 1, row);
        f->find.has_more = true;
        return 1;
}

static bool is_full(const Rows *answer) {
        return answer->n >= STATE_FIND_ROWS || answer->buf.n >= STATE_FIND_BYTES;
}

static int find_rows(SqliteFile *f, Rows *answer, SqliteReport *report) {
        const RowTable *t = f->schema->tables + f->find.row.table;
        RowValue values[ROW_COLUMNS_MAX];
        int r, code;

        while (!is_full(answer)) {
                code = sqlite3_step(f->find.s);
                f->find.has_more = code == SQLITE_ROW;
                if (code == SQLITE_DONE)
                        return 0;
                if (code != SQLITE_ROW)
                        return sqlite_fail(f->db, code, report);
                r = read_row(f->find.s, t, values);
                if (r < 0)
                        return r;
                rows_put(answer, f->find.row.table, values, t->n_columns);
                if (answer->buf.error < 0)
                        return answer->buf.error;
        }
        return 0;
}

int sqlite_file_find(SqliteFile *f, const Rows *query, Rows *answer, SqliteReport *report) {
        int r = 1;

        if (query) {
                sqlite_end_find(f);
                f->find.query = query;
                f->find.at = 0;
        }
        assert(f->find.query);
        while (r > 0 && !is_full(answer)) {
                r = f->find.has_more ? 1 : find_next(f, report);
                if (r > 0) {
                        r = find_rows(f, answer, report);
                        r = r < 0 ? r : 1;
                }
        }
        if (r <= 0)
                sqlite_end_find(f);
        return r;
}
