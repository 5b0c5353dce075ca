/* SPDX-License-Identifier: MIT */

/* The table, for readers. */

#include <string.h>

#include "config/internal.h"

#define HELP_COLUMN 24

void config_allowed(const Setting *s, Buf *out) {
        (void) buf_puts(out, s->type->allowed);
        if (!s->type->show_bound)
                return;
        (void) buf_puts(out, " from ");
        s->type->show_bound(s->min, out);
        (void) buf_puts(out, " to ");
        s->type->show_bound(s->max, out);
}

void config_help(Buf *out) {
        (void) buf_puts(out, "Settings, in the environment or the env file (see docs/CONFIG.md):\n\n");
        for (size_t i = 0; i < config_n_settings; i++) {
                const Setting *s = config_settings + i;

                (void) buf_printf(out, "  %-*s%s", HELP_COLUMN - 2, s->name, s->help);
                if (*s->initial)
                        (void) buf_printf(out, " (default %s)", s->initial);
                (void) buf_printf(out, "\n%*s", HELP_COLUMN, "");
                config_allowed(s, out);
                (void) buf_putc(out, '\n');
        }
}

/* clang-format off */
static const char markdown_head[] =
        "<!-- Written from the table of settings (src/config/table.c, config/help.c): change it\n"
        "there; the unit test `config` writes this page when GEMGATE_WRITE_DOCS is set. -->\n"
        "# Configuration\n"
        "\n"
        "gemgated needs no configuration file: every setting has a default, and only two are worth\n"
        "setting at first: `API_KEYS`, the keys of Gemini, and `ALLOWED_TOKENS`, the tokens of your\n"
        "clients. `gemgated --check-config` reads everything as a start would, tells what is wrong,\n"
        "and ends.\n"
        "\n"
        "## Where settings come from\n"
        "A later source wins over an earlier one, a setting as a whole (lists are not put together):\n"
        "\n"
        "1. the defaults below;\n"
        "2. the env file: `--env-file=FILE`, else `gemgate.env` in the directory of `--config-dir`,\n"
        "   else `./.env`, if there is one;\n"
        "3. the environment; what is secret there is taken out of it, so that it is not seen in\n"
        "   `/proc`;\n"
        "4. the files `api-keys`, `allowed-tokens` and `admin-tokens` in the directory of\n"
        "   `--config-dir`;\n"
        "5. files of the same names in `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`).\n"
        "\n"
        "An empty value asks for the default. A name in the env file that is no setting is a warning,\n"
        "unless it is one of compose's (`COMPOSE_…`) or of packaging/compose.yaml's.\n"
        "\n"
        "## How values are written\n"
        "- Durations as systemd writes them: `10s`, `500ms`, `2min`, `1h 30min`; a bare number is\n"
        "  seconds.\n"
        "- Sizes: `512`, `32K`, `32M`, `32MiB`, `1G`, in powers of 1024.\n"
        "- Yes or no: `yes`, `true`, `on`, `1`; `no`, `false`, `off`, `0`.\n"
        "- Lists: a JSON array, or entries separated by commas or lines. In a file of its own, and\n"
        "  wherever there is more than one line, a line that begins with `#` is a comment.\n"
        "\n"
        "A key in `API_KEYS` is any text without blanks; gemgated does not ask how it begins or how\n"
        "long it is. Instead of the text an entry may be an object:\n"
        "`{\"key\": \"…\", \"name\": \"…\", \"project\": \"…\", \"disabled\": true}`.\n"
        "Quotas belong to Google projects: name the project where several keys are of one, else each\n"
        "key counts as a project of its own. A token may be `{\"token\": \"…\", \"name\": \"…\"}`.\n"
        "A token that is in both lists is an admin's.\n"
        "\n"
        "The env file is `NAME=VALUE` a line, with `#` comments, `export`, single and double quotes\n"
        "(several lines in them, too), and JSON as it stands: `API_KEYS=[\"a\",\"b\"]`. systemd\n"
        "(`EnvironmentFile=`) and compose (`env_file:`) each read such files by rules of their own;\n"
        "`--check-config` warns of a line that one of them would read otherwise. What `.env.example`\n"
        "uses means the same to all three.\n"
        "\n"
        "## What is wrong\n"
        "Each fault is one line, `SETTING: value: what is allowed`; of a secret only its place in the\n"
        "list and its mask are shown. Then gemgated ends with status 78. It also does so when\n"
        "`LISTEN` goes beyond loopback and there is no client token. The keys and tokens of\n"
        "`.env.example` are refused.\n"
        "\n"
        "## Settings\n"
        "`systemctl reload gemgated`, `gemgatectl reload` and SIGHUP read the configuration anew. All of\n"
        "it is checked first: with a fault nothing changes, and the fault is told. What is reloadable\n"
        "holds for the requests from then on; open ones end as they began. Keys that stay keep their\n"
        "health and counters; one that goes is not picked any more. The rest stays as it is until a\n"
        "restart, and so do the environment and the credentials: where the files say otherwise, the\n"
        "reload names it in a line.\n"
        "\n"
        "| setting | default | what it is | what is allowed | reloadable |\n"
        "|---|---|---|---|---|\n";
/* clang-format on */

/* A cell: the bar would end it. */
static void put_cell(Buf *out, const char *s, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '|')
                        (void) buf_putc(out, '\\');
                (void) buf_putc(out, s[i]);
        }
}

void config_markdown(Buf *out) {
        (void) buf_puts(out, markdown_head);
        for (size_t i = 0; i < config_n_settings; i++) {
                _cleanup_buf_ Buf allowed = BUF_INIT(1024);
                const Setting *s = config_settings + i;

                config_allowed(s, &allowed);
                (void) buf_printf(out, "| %s | ", s->name);
                if (*s->initial)
                        (void) buf_printf(out, "`%s`", s->initial);
                else
                        (void) buf_puts(out, "–");
                (void) buf_puts(out, " | ");
                put_cell(out, s->help, strlen(s->help));
                (void) buf_puts(out, " | ");
                put_cell(out, buf_cstr(&allowed) ?: "", allowed.n);
                (void) buf_printf(out, " | %s |\n", s->reloadable ? "yes" : "no");
        }
}
