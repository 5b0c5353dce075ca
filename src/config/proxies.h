/* SPDX-License-Identifier: MIT */
#pragma once

/* The proxies to Gemini: see config/proxies.c. A part of config/internal.h, which includes it. */

#include "config/config.h"

typedef struct Setting Setting;
typedef struct ConfigCheck ConfigCheck;
typedef struct ProxySet ProxySet;

/* The usual variables about proxies, which are used only if UPSTREAM_PROXY names no proxy. */
typedef enum ConfigProxyText {
        CONFIG_HTTPS_PROXY,
        CONFIG_ALL_PROXY,
        CONFIG_NO_PROXY,
        _CONFIG_PROXY_TEXT_MAX,
} ConfigProxyText;

/* The proxy of a text, the same object for the same proxy; NULL after a reported fault. -ENOMEM. */
int config_proxy(ConfigCheck *k, const Setting *s, const char *shown, const char *text, size_t n,
                 Proxy **ret);
void config_proxies_done(ProxySet *set); /* after a check */
void config_project_proxies_free(Config *c);
int config_check_proxies(ConfigCheck *k); /* after all settings were read. -ENOMEM */
