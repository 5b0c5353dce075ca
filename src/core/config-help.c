/* SPDX-License-Identifier: MIT */

/* The table, for readers. */

#include <string.h>

#include "core/config-internal.h"

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
        (void) buf_puts(out, "Settings, in the environment or the env file; docs/CONFIG.md tells all about them:\n\n");
        for (size_t i = 0; i < config_n_settings; i++) {
                const Setting *s = config_settings + i;

                (void) buf_printf(out, "  %-*s%s\n", HELP_COLUMN - 2, s->name, s->help);
                (void) buf_printf(out, "%*s", HELP_COLUMN, "");
                config_allowed(s, out);
                if (*s->initial)
                        (void) buf_printf(out, "; default %s", s->initial);
                (void) buf_putc(out, '\n');
        }
}

static const char markdown_head[] =
        "<!-- Written by the program (config_markdown() in src/core/config-help.c): change it there. -->\n"
        "# Configuration\n"
        "\n"
        "gemgated needs no configuration file: every setting has a default, and only two are worth setting at first:\n"
        "`API_KEYS`, the keys of Gemini, and `ALLOWED_TOKENS`, the tokens of your clients. `gemgated --check-config`\n"
        "reads everything as a start would, tells what is wrong, and ends.\n"
        "\n"
        "## Where settings come from\n"
        "A later source wins over an earlier one, a setting as a whole (lists are not put together):\n"
        "\n"
        "1. the defaults below;\n"
        "2. the env file: `--env-file=FILE`, else `gemgate.env` in the directory of `--config-dir`, else `./.env`, if\n"
        "   there is one;\n"
        "3. the environment; what is secret there is taken out of it, so that it is not seen in `/proc`;\n"
        "4. the files `api-keys`, `allowed-tokens` and `admin-tokens` in the directory of `--config-dir`;\n"
        "5. files of the same names in `$CREDENTIALS_DIRECTORY` (systemd's `LoadCredential=`).\n"
        "\n"
        "An empty value asks for the default. A name in the env file that is no setting is a warning.\n"
        "\n"
        "## How values are written\n"
        "- Durations as systemd writes them: `10s`, `500ms`, `2min`, `1h 30min`; a bare number is seconds.\n"
        "- Sizes: `512`, `32K`, `32M`, `32MiB`, `1G`, in powers of 1024.\n"
        "- Yes or no: `yes`, `true`, `on`, `1`; `no`, `false`, `off`, `0`.\n"
        "- Lists: a JSON array, or entries separated by commas or lines. In a file of its own, and wherever there is\n"
        "  more than one line, a line that begins with `#` is a comment.\n"
        "\n"
        "A key in `API_KEYS` is any text without blanks; gemgated does not ask how it begins or how long it is. Instead\n"
        "of the text an entry may be an object: `{\"key\": \"…\", \"name\": \"…\", \"project\": \"…\", \"disabled\": true}`.\n"
        "Quotas belong to Google projects: name the project where several keys are of one, else each key counts as a\n"
        "project of its own. A token may be `{\"token\": \"…\", \"name\": \"…\"}`. A token that is in both lists is an admin's.\n"
        "\n"
        "The env file is `NAME=VALUE` a line, with `#` comments, `export`, single and double quotes (several lines in\n"
        "them, too), and JSON as it stands: `API_KEYS=[\"a\",\"b\"]`. systemd (`EnvironmentFile=`) and compose\n"
        "(`env_file:`) each read such files by rules of their own; `--check-config` warns of a line that one of them\n"
        "would read otherwise. What `.env.example` uses means the same to all three.\n"
        "\n"
        "## What is wrong\n"
        "Each fault is one line, `SETTING: value: what is allowed`; of a secret only its place in the list and its mask\n"
        "are shown. Then gemgated ends with status 78. It also does so when `LISTEN` goes beyond loopback and there is\n"
        "no client token. The keys and tokens of `.env.example` are refused.\n"
        "\n"
        "## Settings\n"
        "The configuration is read once, at the start. What is reloadable can change without disturbing open requests.\n"
        "\n"
        "| setting | default | what it is | what is allowed | reloadable |\n"
        "|---|---|---|---|---|\n";

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
