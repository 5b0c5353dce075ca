/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * If systemd starts the daemon for a client and the daemon cannot start, that client keeps waiting at the
 * socket. So systemd starts the daemon again at once, until it reaches its limit and closes the socket. To
 * prevent that, the waiting clients get an answer, 503: one start and one line in the log for each client.
 * If systemd cannot even execute the daemon, `gemgated --turn-away` answers them
 * (units/gemgated-turn-away@.service).
 */
void turn_away_waiting(int n_listeners); /* the number of passed sockets */
void turn_away_unexecuted(int n_listeners); /* only if the failed daemon was never executed */
